"""A language model's tokens, live: the library behind the command of the same name."""

from llmstream.version import __version__

__all__ = ["__version__"]
