"""Runs the suite's async tests, each on a loop of its own, whichever plugins are installed."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Make the suite's marker known: its plugin is not loaded, as no test of ours measures time."""
    config.addinivalue_line("markers", "benchmark: what the suite would time")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine function to its end."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(function).parameters}
    asyncio.run(function(**arguments))
    return True


@pytest.fixture
def benchmark() -> Callable[[Callable[[], object]], object]:
    """Run once what the suite would time."""
    return lambda work: work()
