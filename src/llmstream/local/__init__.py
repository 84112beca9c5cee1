"""The embedded model: its files, their download, and its server."""
