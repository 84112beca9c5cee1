"""Convert events into LangChain's event dictionaries."""
