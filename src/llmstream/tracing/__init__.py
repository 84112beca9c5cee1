"""Events to LangChain's event dictionaries."""
