"""What the sync and the async HTTP transport share: settings, trust, and the meaning of errors."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Final

from llmstream.engine.effects import Head, Open
from llmstream.errors import (
    ConfigError,
    ConnectionFailed,
    LLMStreamError,
    StreamBroken,
    TimeLimitPassed,
)
from llmstream.record import Record, replace
from llmstream.transport.http.quick_httpx import httpx
from llmstream.transport.watchdog import Shuttable
from llmstream.version import __version__

USER_AGENT: Final = f"llmstream/{__version__}"
DEFAULT_HEADERS: Final = {"user-agent": USER_AGENT, "accept-encoding": "gzip, deflate"}
FAULTS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)
"""What httpx raises, and what gets through it from the system."""


class Connection(Record):
    """How a provider is reached.

    Args:
        proxy: URL of a proxy, None for what the environment says.
        ca_file: certificates to trust beside the system's, None for none.
        client_cert: certificate and key in one PEM file to show the server, None for none.
        aws_region: requests are signed for it with AWS's own credentials; empty for no signing.
        aws_profile: whose credentials these are, empty for AWS's own choice.
    """

    proxy: str | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    aws_region: str = ""
    aws_profile: str = ""


DIRECT: Final = Connection()
"""As the environment says."""


@lru_cache(maxsize=16)
def trust(connection: Connection, *, https: bool) -> ssl.SSLContext:
    """Return a TLS context; for plain http a bare one, as loading certificates takes 20-40 ms."""
    if not https and not _proxied_by_https(connection):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = _system_context()
    try:
        if connection.ca_file is not None:
            context.load_verify_locations(connection.ca_file)
        if connection.client_cert is not None:
            context.load_cert_chain(connection.client_cert)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"ca_file or client_cert can't be used: {error}") from error
    return context


def _proxied_by_https(connection: Connection) -> bool:
    variables = [name for name in os.environ if name.lower() in ("http_proxy", "all_proxy")]
    proxies = [connection.proxy or "", *(os.environ[name] for name in variables)]
    return any(proxy.startswith("https:") for proxy in proxies)


def _system_context() -> ssl.SSLContext:
    """Return a context that trusts what the operating system trusts.

    SSL_CERT_FILE and SSL_CERT_DIR are honoured by OpenSSL itself.  With the extra `truststore`
    the system's own verifier is asked, on macOS and Windows too.
    """
    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        try:
            import truststore  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            pass
        else:
            context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            return context
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None and sys.platform != "win32":
        import certifi  # httpx brings it

        context.load_verify_locations(certifi.where())
    return context


def signed(effect: Open, route: Connection) -> Open:
    """Return the effect with its request signed, where the route asks for that."""
    if not route.aws_region:
        return effect
    from llmstream.transport.http.aws_signing import signed as sign

    request = sign(effect.request, region=route.aws_region, profile=route.aws_profile)
    return replace(effect, request=request)


def request_of(client: httpx.Client | httpx.AsyncClient, effect: Open, trace: object) -> httpx.Request:
    """Return the request of an Open effect.

    Only connecting is limited by httpx: the other limits are deadlines of ours.
    """
    request = effect.request
    try:
        return client.build_request(
            request.method,
            request.url,
            content=request.body or None,
            headers=dict(request.headers),
            extensions={
                "trace": trace,
                "timeout": {"connect": effect.connect or None, "read": None, "write": None, "pool": None},
            },
        )
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ConfigError(f"{request.url!r} is no usable address: {error}") from error


@contextmanager
def proxies() -> Iterator[None]:
    """Say what is wrong with a proxy, the environment's or a provider's, while a client is made.

    Raises:
        ConfigError: its address is none, or it is of a kind that needs a package more.
    """
    hint = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY or a provider's proxy names it"
    try:
        yield
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigError(f"a proxy's address can't be used: {error}", hint=hint) from error
    except ImportError as error:
        raise ConfigError(
            "a SOCKS proxy needs the package socksio", hint=f"pip install socksio; {hint}"
        ) from error


def traced_socket(name: str, info: dict[str, object]) -> Shuttable | None:
    """Return the socket that one of httpx's trace events tells of, None when it tells of none.

    So it is known from the moment that it is connected, before any answer.
    """
    if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
        return socket_of(info.get("return_value"))
    return None


def socket_of(stream: object) -> Shuttable | None:
    """Return the socket under one of httpx's network streams."""
    info = getattr(stream, "get_extra_info", None)
    found: Shuttable | None = info("socket") if info is not None else None
    return found


def head_of(response: httpx.Response) -> Head:
    """Return status and headers of an answer; a header that came twice is joined by a comma."""
    return Head(response.status_code, {name.lower(): value for name, value in response.headers.items()})


def body_ended(expired: bool) -> bytes:
    """Return the mark of a body's end, unless it ended because a limit passed."""
    if expired:
        raise TimeLimitPassed("nothing came in time")
    return b""


def opening_error(error: Exception, expired: bool) -> LLMStreamError:
    """Return what an exception means that came before the head of an answer."""
    if expired:
        return TimeLimitPassed("no answer in time")
    if isinstance(error, httpx.ConnectTimeout):
        return TimeLimitPassed("no connection in time", phase="connect")
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return ConfigError(f"the address can't be used: {error}")
    tls = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
    if tls is not None:
        return ConnectionFailed(
            f"no TLS connection: {getattr(tls, 'verify_message', '') or tls.reason or tls}",
            hint="a certificate that is not trusted; SSL_CERT_FILE or ca_file names further authorities",
            phase="connect",
            retryable=False,
        )
    if isinstance(error, httpx.LocalProtocolError):
        return ConfigError(f"the request can't be sent: {error}")
    if isinstance(error, httpx.ProxyError):
        return ConnectionFailed(f"the proxy refused the connection: {error}", phase="connect")
    if isinstance(error, httpx.ConnectError | UnicodeError):
        return ConnectionFailed(f"no connection: {_reason(error)}", phase="connect")
    # h11's own words for what is no HTTP; "Server disconnected" is httpcore's for a close
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" not in str(error):
        return ConnectionFailed(f"what came is no HTTP answer: {_reason(error)}")
    return ConnectionFailed(f"the connection was closed before an answer came: {_reason(error)}")


def reading_error(error: Exception, expired: bool) -> LLMStreamError:
    """Return what an exception means that came inside an answer's body."""
    if expired:
        return TimeLimitPassed("nothing came in time")
    return StreamBroken(f"the connection broke, the answer is incomplete: {_reason(error)}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(error: Exception) -> str:
    """Return the innermost system error's text, which says more than what wraps it."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return str(error) or type(error).__name__


def no_cookies() -> CookieJar:
    """Return a cookie store that keeps none: a provider's API has no use for them."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))
