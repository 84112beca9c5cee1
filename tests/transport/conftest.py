"""The fixtures of these tests."""

from runnable.fixtures import little, way

__all__ = ["little", "way"]
