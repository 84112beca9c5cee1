"""LangChain's own tests for chat models, on ours."""
