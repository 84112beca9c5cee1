"""The embedded model: its files, its server, and how they are fetched."""
