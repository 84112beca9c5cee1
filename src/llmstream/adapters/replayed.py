"""An adapter for replays: sends the recorded request and reads the answer with its dialect's reader."""

from __future__ import annotations

from collections.abc import Mapping

from llmstream.adapters.base import Adapter, HttpRequest, Reader
from llmstream.errors import ProviderError
from llmstream.prompt import Endpoint, Options, Prompt


class Replayed:
    """An adapter whose request is always the recorded one.

    Args:
        inner: the dialect's adapter.
        request: the first recorded request.
    """

    def __init__(self, inner: Adapter, request: HttpRequest) -> None:
        self.name = inner.name
        self.kind = getattr(inner, "kind", "chat")
        self._inner = inner
        self._request = request

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the recorded request."""
        return self._request

    def reader(self) -> Reader:
        """Return the dialect's reader."""
        return self._inner.reader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for a refused request's response."""
        return self._inner.error(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return the dialect's revised request, None to keep the error."""
        return self._inner.revise(request, error)

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return None: a recording has no list of models."""
        return None

    def models(self, document: object) -> list[str]:
        """Return no names."""
        return []
