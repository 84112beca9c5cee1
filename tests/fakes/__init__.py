"""A provider that isn't one, and the real command run against it."""
