"""Finding and storing API keys."""
