"""The public library: Runnable and its defaults, LLM, streams, batches, event dictionaries."""
