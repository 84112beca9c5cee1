"""TLS contexts with the trusted certificate authorities, of which no more are loaded than needed.

Reading the system's bundle of authorities takes 16 ms at every start.  Its hashed folder takes no time:
OpenSSL opens only the file that is named by the hash of a certificate's issuer.  For an issuer that is only
in the bundle, a second handshake follows, before any request is sent.
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
"""How many entries of a folder are checked to determine whether it is a hashed one."""
_ISSUER_UNKNOWN: Final = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's codes for a certificate chain that leads to no trusted certificate (x509_vfy.h)."""
_PLAIN: Final = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "UNKNOWN_PROTOCOL",
    "RECORD_LAYER_FAILURE",
)


def trust(ca_file: Path | None, client_cert: Path | None, *, whole: bool = False) -> ssl.SSLContext:
    """Return a context, cached.

    Args:
        ca_file: authorities to trust in addition to the system's, None for none.
        client_cert: certificate and key in one PEM file to show the server, None for none.
        whole: load all of the system's authorities, for the second handshake.

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

    OpenSSL itself honours SSL_CERT_FILE and SSL_CERT_DIR.  Without these, the extra `truststore` uses the
    system's own verifier where OpenSSL may not read the same files: on macOS, on Windows, and if there is
    no hashed folder.
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
        return  # then nothing is trusted, and the error's hint says how to add an authority
    context.load_verify_locations(certifi.where())


def _log_keys(context: ssl.SSLContext, path: str) -> None:
    """Write the keys of connections to a file for a network analyser, if it can be written.

    Writing a comment first tests that: OpenSSL would wait for the reader of a pipe, and fail the handshake if
    the disk is full.
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
    """Return the folder of authorities if its files are named by their hashes, else None.

    Args:
        folder: SSL_CERT_DIR, which may list several as PATH does; empty for the system's folder.
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
    """Return whether a failed handshake might succeed with all of the system's authorities."""
    return (
        isinstance(error, ssl.SSLCertVerificationError)
        and error.verify_code in _ISSUER_UNKNOWN
        and not os.environ.get("SSL_CERT_FILE")
        and _hashed_folder(os.environ.get("SSL_CERT_DIR") or "") is not None
    )


def handshake_error(error: ssl.SSLError, who: str) -> ConnectionFailed:
    """Return the error for a failed handshake.

    Args:
        error: OpenSSL's error.
        who: "the server", or the proxy's name in messages.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectionFailed(
            f"no TLS connection: {error.verify_message or error.reason}",
            hint="to trust another certificate authority, set ca_file or SSL_CERT_FILE",
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
