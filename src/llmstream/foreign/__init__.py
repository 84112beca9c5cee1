"""Python objects as models: any LangChain model, or any object with stream, astream, invoke or ainvoke."""
