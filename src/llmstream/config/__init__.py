"""Settings from the file, the environment and the flags, each value with its origin."""
