"""Turns socket and HTTP errors into the errors that callers see."""

from __future__ import annotations

from llmstream.errors import ConnectionFailed, LLMStreamError, StreamBroken
from llmstream.transport.http.parser import CutShort, NotHttp, Parser, SpeaksTls
from llmstream.transport.http.proxies import Proxy


class IssuerUnknown(Exception):
    """A certificate's issuer was not found where looking is cheap."""


def opening_error(error: OSError | NotHttp) -> ConnectionFailed:
    """Return the error for a connection on which no response head arrived."""
    if isinstance(error, CutShort):
        return ConnectionFailed(f"the connection was closed before an answer came: {error}")
    if isinstance(error, SpeaksTls):
        return ConnectionFailed(
            "the server speaks TLS", hint="use https:// instead of http://", retryable=False
        )
    if isinstance(error, NotHttp):
        # the same would happen again
        return ConnectionFailed(
            f"the response is not valid HTTP: {error}",
            hint="check the port, and for a proxy in the way",
            retryable=False,
        )
    return ConnectionFailed(f"the connection was closed before an answer came: {reason(error)}")


def reading_error(error: OSError | NotHttp) -> LLMStreamError:
    """Return the error for a failure within an answer's body."""
    said = str(error) if isinstance(error, NotHttp) else reason(error)
    return StreamBroken(f"the connection broke, the answer is incomplete: {said}")


def reason(error: OSError) -> str:
    """Return the system's own words for what happened."""
    return error.strerror or str(error) or type(error).__name__


def refused_by_proxy(proxy: Proxy, answer: Parser) -> bool:
    """Return whether an answer to a forwarded request is the proxy's own refusal of its user.

    Some (tinyproxy) answer a wrong password with 401, as a server does a wrong key.  A proxy names itself in
    what it forwards (Via; RFC 9110, section 7.6.3), and APIs refuse with JSON, proxies with an HTML page.
    """
    if answer.status != 401 or not proxy.address.user:
        return answer.status == 407
    return "via" not in answer.headers and answer.headers.get("content-type", "").startswith("text/html")


def proxy_wants_a_password(proxy: Proxy, status: int = 0) -> ConnectionFailed:
    """Return the error for a refusal by the proxy itself.

    Args:
        proxy: the one that refused.
        status: 407 or 401; 0 from a proxy that does not speak HTTP.
    """
    scheme, place = proxy.address.scheme, proxy.address.authority
    what = "refused its user and password" if proxy.address.user else "asks for a user and a password"
    return ConnectionFailed(
        f"{proxy.name} {what} ({status})" if status else f"{proxy.name} {what}",
        hint=f"write them into {proxy.origin}: {scheme}://USER:PASSWORD@{place}",
        phase="connect",
        retryable=False,
    )
