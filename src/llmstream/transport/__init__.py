"""Carries out effects on sockets and processes; no higher floor opens either."""
