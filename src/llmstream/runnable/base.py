"""The interface that LangChain calls a Runnable: one method to write, the others by default.

A subclass that has only `invoke` can be used in place of one that streams: its `stream` gives
its answer as exactly one value.  What LangChain does, measured on langchain-core 1.8, holds here
too; where ours does more, the docstring says so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, overload

from llmstream.runnable.settings import RunConfig, configs_for

if TYPE_CHECKING:
    from llmstream.runnable.tracing import EventDict
    from llmstream.runnable.wrappers import Bound, WithFallbacks, WithRetry

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
