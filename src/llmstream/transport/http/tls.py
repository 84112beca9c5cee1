"""Whom to trust: TLS contexts, loaded as far as they are needed.

Reading the system's bundle of authorities takes 16 ms of every start, its hashed folder nothing: OpenSSL
opens the one file that a certificate's issuer hashes to.  An issuer that is only in the bundle is found
by a second handshake, before anything was sent.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import ssl
import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

from llmstream.errors import ConfigError, ConnectionFailed

_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]")
_ENOUGH: Final = 64
"""Entries of a folder that are looked at to tell whether it is a hashed one."""
_ISSUER_UNKNOWN: Final = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's codes for a chain whose end is not among the trusted (x509_vfy.h)."""
_PLAIN: Final = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "UNKNOWN_PROTOCOL",
    "RECORD_LAYER_FAILURE",
)


def trust(ca_file: Path | None, client_cert: Path | None, *, whole: bool = False) -> ssl.SSLContext:
    """Return a context.

    Args:
        ca_file: authorities to trust in addition to the system's, None for none.
        client_cert: certificate and key in one PEM file to show the server, None for none.
        whole: all authorities of the system at once, for the second handshake.

    Raises:
        ConfigError: a file can't be used.
    """
    variables = tuple(
        os.environ.get(name) or "" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
    )
    return _trust(ca_file, client_cert, whole, variables)


@lru_cache(maxsize=32)
def _trust(
    ca_file: Path | None, client_cert: Path | None, whole: bool, variables: tuple[str, ...]
) -> ssl.SSLContext:
    context = _system(whole, variables)
    try:
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        if client_cert is not None:
            context.load_cert_chain(client_cert)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"ca_file or client_cert can't be used: {error}") from error
    return context


def _system(whole: bool, variables: tuple[str, ...]) -> ssl.SSLContext:
    """Return a context that trusts what the operating system trusts.

    OpenSSL itself honours SSL_CERT_FILE and SSL_CERT_DIR.  Without them the extra `truststore` lets
    the system's own verifier decide where OpenSSL doesn't read the same files: on macOS, on Windows,
    and where it finds no hashed folder.
    """
    file, folder, log = variables
    hashed = None if file else _hashed_folder(folder)
    if not (file or folder) and (hashed is None or sys.platform in ("darwin", "win32")):
        try:
            import truststore  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            pass
        else:
            theirs: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            return theirs
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if log:
        _log_keys(context, log)
    context.set_alpn_protocols(["http/1.1"])
    if hashed is None or whole:
        _load_all(context)
    else:
        context.load_verify_locations(capath=hashed)
    return context


def _load_all(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    paths = ssl.get_default_verify_paths()
    if paths.cafile is None and paths.capath is None and sys.platform != "win32":
        _load_certifi(context)


def _load_certifi(context: ssl.SSLContext) -> None:
    try:
        import certifi
    except ImportError:
        return  # nothing is trusted then, and the message says how to name an authority
    context.load_verify_locations(certifi.where())


def _log_keys(context: ssl.SSLContext, path: str) -> None:
    """Write the keys of connections for a network analyser; a file that can't be written costs nothing.

    OpenSSL would wait for a pipe's reader, and fail the handshake on a full disk: hence the comment first.
    """
    with contextlib.suppress(OSError, ValueError):
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o600)
        try:
            os.write(log, b"# llmstream\n")
        finally:
            os.close(log)
        context.keylog_filename = path


@lru_cache(maxsize=4)
def _hashed_folder(folder: str) -> str | None:
    """Return a folder of authorities under their hashes, None where there is none.

    Args:
        folder: SSL_CERT_DIR, several separated as in PATH; empty for the system's.
    """
    folder = folder or ssl.get_default_verify_paths().openssl_capath
    return folder if any(map(_is_hashed, folder.split(os.pathsep))) else None


def _is_hashed(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(_HASHED.fullmatch(entry.name) for entry in itertools.islice(entries, _ENOUGH))
    except OSError:
        return False


def may_be_in_the_bundle(error: Exception) -> bool:
    """Return whether a handshake failed that all of the system's authorities might let succeed."""
    return (
        isinstance(error, ssl.SSLCertVerificationError)
        and error.verify_code in _ISSUER_UNKNOWN
        and not os.environ.get("SSL_CERT_FILE")
        and _hashed_folder(os.environ.get("SSL_CERT_DIR") or "") is not None
    )


def handshake_error(error: ssl.SSLError, who: str) -> ConnectionFailed:
    """Return what a failed handshake means.

    Args:
        error: OpenSSL's.
        who: "the server", or what messages call the proxy.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectionFailed(
            f"no TLS connection: {error.verify_message or error.reason}",
            hint="the certificate is not trusted; SSL_CERT_FILE or ca_file adds a certificate authority",
            phase="connect",
            retryable=False,
        )
    if error.reason in _PLAIN:
        return ConnectionFailed(
            f"no TLS connection: {who} doesn't speak TLS",
            hint="use http:// instead of https://",
            phase="connect",
            retryable=False,
        )
    return ConnectionFailed(
        f"no TLS connection: {error.reason or error}",
        hint=f"check for a proxy in the way, and whether {who} asks for a client certificate (client_cert)",
        phase="connect",
        retryable=False,
    )
