"""The configuration file: reading, checking, and its table of keys."""
