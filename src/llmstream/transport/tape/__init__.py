"""Recordings as files: writing, reading, removing secrets, and converting VCR cassettes."""
