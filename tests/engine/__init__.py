"""Tests of the engine: conversations fed by hand, with a clock of their own and no sockets."""
