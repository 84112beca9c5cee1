"""Turns socket and HTTP errors into the errors that callers see."""

from __future__ import annotations

from llmstream.errors import ConnectionFailed, LLMStreamError, StreamBroken
from llmstream.transport.http.parser import CutShort, NotHttp, Parser, SpeaksTls
from llmstream.transport.http.proxies import Proxy


class IssuerUnknown(Exception):
    """A certificate's issuer is not among the authorities loaded so far."""


def opening_error(error: OSError | NotHttp) -> ConnectionFailed:
    """Return the error for a connection on which no response head arrived."""
    if isinstance(error, CutShort):
        return ConnectionFailed(str(error))
    if isinstance(error, SpeaksTls):
        return ConnectionFailed(
            "the server speaks TLS", hint="use https:// instead of http://", retryable=False
        )
    if isinstance(error, NotHttp):
        # the same would happen again
        return ConnectionFailed(
            f"the response is not valid HTTP: {error}",
            hint="check the port, and whether a proxy is in the way",
            retryable=False,
        )
    return ConnectionFailed(f"the connection broke before the response arrived: {reason(error)}")


def reading_error(error: OSError | NotHttp) -> LLMStreamError:
    """Return the error for a failure within a response's body."""
    said = str(error) if isinstance(error, NotHttp) else reason(error)
    return StreamBroken(f"the answer is incomplete: {said}")


def reason(error: OSError) -> str:
    """Return the system's text for an error."""
    return error.strerror or str(error) or type(error).__name__


def refused_by_proxy(proxy: Proxy, answer: Parser) -> bool:
    """Return whether the response to a forwarded request is the proxy's refusal of our user or password.

    Some proxies (tinyproxy) refuse a wrong password with 401, as servers refuse a wrong key.  But responses
    that a proxy forwards have a Via header (RFC 9110, section 7.6.3), and APIs refuse with JSON, not HTML.
    """
    if answer.status != 401 or not proxy.address.user:
        return answer.status == 407
    return "via" not in answer.headers and answer.headers.get("content-type", "").startswith("text/html")


def proxy_wants_a_password(proxy: Proxy, status: int = 0) -> ConnectionFailed:
    """Return the error for a proxy that refused us for lack of a valid user and password.

    Args:
        proxy: the one that refused.
        status: 407 or 401; 0 for a SOCKS proxy.
    """
    scheme, place = proxy.address.scheme, proxy.address.authority
    what = "refused the user and password" if proxy.address.user else "asks for a user and a password"
    return ConnectionFailed(
        f"{proxy.name} {what} ({status})" if status else f"{proxy.name} {what}",
        hint=f"include them in {proxy.origin}: {scheme}://USER:PASSWORD@{place}",
        phase="connect",
        retryable=False,
    )
