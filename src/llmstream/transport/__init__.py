"""Carries out the engine's effects on sockets, processes and recordings."""
