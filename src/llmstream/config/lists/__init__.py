"""Lists of the known providers and models."""
