"""Imports httpx without its command line, which costs 40 ms where click is installed."""

from __future__ import annotations

import sys

_MAIN = "httpx._main"

if "httpx" in sys.modules:
    import httpx
else:
    # None stops the import, which httpx takes for a missing extra
    sys.modules[_MAIN] = None  # type: ignore[assignment]
    try:
        import httpx
    finally:
        del sys.modules[_MAIN]

__all__ = ["httpx"]
