"""Tests of what carries effects out: sockets and processes."""
