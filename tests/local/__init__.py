"""Local models: fetching, keeping, and running them."""
