"""Recordings as files: how one is written, read, kept free of secrets, and made from a VCR cassette."""
