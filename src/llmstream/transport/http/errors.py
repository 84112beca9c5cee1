"""What the errors of sockets and of HTTP mean to whoever asked."""

from __future__ import annotations

from llmstream.errors import ConnectionFailed, LLMStreamError, StreamBroken
from llmstream.transport.http.parser import CutShort, NotHttp
from llmstream.transport.http.proxies import Proxy


class IssuerUnknown(Exception):
    """A certificate's issuer was not found where looking is cheap."""


def opening_error(error: OSError | NotHttp) -> ConnectionFailed:
    """Return what it means that no head of an answer came on a connection."""
    if isinstance(error, CutShort):
        return ConnectionFailed(f"the connection was closed before an answer came: {error}")
    if isinstance(error, NotHttp):
        # the same would come again
        return ConnectionFailed(
            f"what came is not an HTTP answer: {error}",
            hint="check the port, and for a proxy in the way",
            retryable=False,
        )
    return ConnectionFailed(f"the connection was closed before an answer came: {reason(error)}")


def reading_error(error: OSError | NotHttp) -> LLMStreamError:
    """Return what an error means that came inside an answer's body."""
    said = str(error) if isinstance(error, NotHttp) else reason(error)
    return StreamBroken(f"the connection broke, the answer is incomplete: {said}")


def reason(error: OSError) -> str:
    """Return the system's own words for what happened."""
    return error.strerror or str(error) or type(error).__name__


def proxy_wants_a_password(proxy: Proxy) -> ConnectionFailed:
    """Return what a 407 means: the proxy's own answer, whatever the server would have said."""
    scheme, place = proxy.address.scheme, proxy.address.authority
    what = "refused its user and password" if proxy.address.user else "asks for a user and a password"
    return ConnectionFailed(
        f"{proxy.name} {what} (407)",
        hint=f"write them into {proxy.origin}: {scheme}://USER:PASSWORD@{place}",
        phase="connect",
        retryable=False,
    )
