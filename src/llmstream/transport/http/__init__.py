"""Sockets: HTTP/1.1 for the sync and the async engine, on one parser and one pool of connections."""
