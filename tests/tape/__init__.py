"""Runs that are recorded from real sockets, and played again."""
