"""Python objects as models: any LangChain model, or one with stream, astream, invoke or ainvoke."""
