"""Render events as bytes on a stream: the answer, JSON Lines, and messages for people."""
