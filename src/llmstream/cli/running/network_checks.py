"""A check of `llmstream doctor`, and the checks of the machine's network settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple

from llmstream.errors import ConfigError

PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Check(NamedTuple):
    """The result of one check.

    Args:
        name: what was checked.
        state: ``ok``, ``warn`` or ``fail``.
        detail: what was found.
        hint: what to do, empty for nothing.
        skipped: whether the check was not made; `detail` says why.
    """

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""
    skipped: bool = False


def proxies(variables: Mapping[str, str]) -> Check:
    """Check the proxies of the environment."""
    from llmstream.transport.http.proxies import proxy_of

    found = {name: variables.get(name.lower()) or variables.get(name, "") for name in PROXIES}
    for name in PROXIES[:-1]:
        try:
            if found[name].strip():
                proxy_of(found[name].strip(), name)
        except ConfigError:
            return Check("proxies", "warn", f"{name} is not a valid proxy URL", f"fix or unset {name}")
    # a proxy's URL may contain a password
    shown = ", ".join(f"{name}={value.rpartition('@')[2]}" for name, value in found.items() if value)
    return Check("proxies", "ok", shown or "none")


def certificates(variables: Mapping[str, str]) -> Check:
    """Check the certificate authorities that are trusted for https."""
    import ssl

    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        given = variables.get(name, "")
        # OpenSSL takes several folders, separated as in PATH, and passes over those that don't exist
        places = [given] if name == "SSL_CERT_FILE" else given.split(os.pathsep)
        if given and not any(place and Path(place).exists() for place in places):
            missing = f"{name} points to {given}, which doesn't exist"
            return Check("certificates", "fail", missing, f"fix or unset {name}")
    try:
        # not create_default_context(), which fails if SSLKEYLOGFILE can't be written
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()
        count = context.cert_store_stats()["x509_ca"]
    except (OSError, ssl.SSLError) as error:
        return Check(
            "certificates", "fail", f"can't be read: {error}", "reinstall the system's CA certificates"
        )
    folder = ssl.get_default_verify_paths().capath
    if not count and not folder:
        return Check(
            "certificates", "warn", "none found", "install the system's CA certificates, or set SSL_CERT_FILE"
        )
    return Check("certificates", "ok", f"{count} certificate authorities" if count else f"read from {folder}")
