"""One whole document by GET: for lists of models."""

from __future__ import annotations

import time
from typing import Final

from llmstream.adapters.base import HttpRequest
from llmstream.engine.effects import Head, Open, Read
from llmstream.errors import BadMessage
from llmstream.transport.http_common import Connection
from llmstream.transport.http_sync import HttpTransport

DOCUMENT_LIMIT: Final = 16 * 1024 * 1024


def fetch_document(
    url: str, headers: dict[str, str], route: Connection, *, connect: float, seconds: float
) -> tuple[Head, bytes]:
    """Return the head and the body of an answer to a GET.

    Args:
        url: absolute.
        headers: to send, the key's too.
        route: how to get there.
        connect: seconds for name, TCP and TLS.
        seconds: for all of it.

    Raises:
        LLMStreamError: no answer, a broken one, or one larger than 16 MiB.
    """
    request = HttpRequest("GET", url, headers, b"", "whole")
    deadline = time.monotonic() + seconds
    transport = HttpTransport()
    try:
        head = transport.perform(Open(request, connect, deadline, route))
        assert isinstance(head, Head)
        body = bytearray()
        while data := transport.perform(Read(deadline)):
            assert isinstance(data, bytes)
            body += data
            if len(body) > DOCUMENT_LIMIT:
                raise BadMessage(f"the document at {url} is larger than {DOCUMENT_LIMIT >> 20} MiB")
    finally:
        transport.close()
    return head, bytes(body)
