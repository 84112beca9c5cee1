"""Sockets: HTTP on httpx, sync and async."""
