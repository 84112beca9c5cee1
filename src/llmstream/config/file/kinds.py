"""The kinds of values that configuration keys accept, one function each.

A kind is a function that returns what is wrong with a value (the end of a sentence such as
``must be text, not a number``), or None.  `table.py` pairs it with a JSON Schema, so that an editor
and our own check agree on the keys.  No message repeats a value that may be secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PureWindowsPath
from typing import Final, TypeAlias

from llmstream.nearest import did_you_mean, quoted
from llmstream.runnable.options import option_complaint

Complaint: TypeAlias = Callable[[object], str | None]

LONGEST: Final = 1_000_000_000
"""Time limits must be below this number of seconds, about 30 years."""

PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")


TAILS: Final = (
    "/chat/completions", "/completions", "/embeddings", "/responses", "/v1/messages", "/messages",
    "/api/chat", "/api/generate", "/v2/chat", "/v1/chat", "/models",
)  # fmt: skip
"""Paths that adapters append to a base URL; users often copy the full URL from a page."""


def unprintable(text: str) -> bool:
    """Return whether `text` contains a control character: C0, DEL or C1."""
    return any(c < " " or "\x7f" <= c <= "\x9f" for c in text)


def text(value: object) -> str | None:
    """Non-empty text on one line."""
    if not isinstance(value, str):
        return f"must be text, not {kind_of(value)}"
    if not value.strip():
        return "is empty"
    return "contains a control character" if unprintable(value) else None


def key_text(value: object) -> str | None:
    """An API key: text that an HTTP header can carry."""
    if not isinstance(value, str):
        return f"must be text, not {kind_of(value)}"
    if not value.strip():
        return "is empty"
    return key_flaw(value.strip())


def key_flaw(key: str) -> str | None:
    """Return why a key can't be sent in a header, None when it can; the message never shows the key."""
    if unprintable(key):
        return "contains a control character (a line break?), which API keys never do"
    return None if key.isascii() else "contains a non-ASCII character, which API keys never do"


def variables(value: object) -> str | None:
    """The name of an environment variable, a list of names, or "" when no key is needed."""
    if value == "":
        return None
    if isinstance(value, str):
        names: list[object] = [value]
    elif isinstance(value, list) and value:
        names = value
    else:
        return "must be the name of an environment variable, or a list of names"
    good = all(isinstance(n, str) and n.isascii() and n.isidentifier() for n in names)
    # a key that was pasted here by mistake must not be shown, so the value isn't
    return None if good else "must name environment variables (letters, digits and _)"


def command(value: object) -> str | None:
    """A command as a list of arguments."""
    if not isinstance(value, list) or not value:
        return 'must be a list of arguments, such as ["pass", "show", "work"]; it is not run in a shell'
    if not all(isinstance(part, str) and "\0" not in part for part in value) or not value[0]:
        return "must contain only text, starting with the program"
    return None


def url(value: object) -> str | None:
    """The URL of an API: http or https, with a host, and without credentials, query or fragment."""
    flaw = _address(value, ("http", "https"))
    if flaw is None and any(c in str(value) for c in "?#{}"):
        return "must be a plain API URL without ?, # or {...}"
    if flaw is None and "@" in str(value).split("/")[2]:
        return "must not contain a user name or password; use api_key_env or headers"
    return flaw


def base_url(value: object) -> str | None:
    """The URL of an API without the path of a request."""
    flaw = url(value)
    address = str(value).rstrip("/")
    tail = next((tail for tail in TAILS if flaw is None and address.endswith(tail)), None)
    if tail is not None:
        return f'must not include {tail}, which llmstream adds; write "{address.removesuffix(tail)}"'
    return flaw


def proxy(value: object) -> str | None:
    """The URL of a proxy."""
    return _address(value, PROXY_SCHEMES)


def _address(value: object, schemes: tuple[str, ...]) -> str | None:
    if not isinstance(value, str):
        return f"must be a URL, not {kind_of(value)}"
    from urllib.parse import urlsplit

    wanted = " or ".join(f"{s}://" for s in schemes)
    if any(c.isspace() for c in value) or unprintable(value):
        return f"is not a URL: it contains a space or a control character, or does not start with {wanted}"
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a URL: {error}"
    if parts.scheme not in schemes:
        return f"must be a URL that starts with {wanted}"
    return None if host else "is a URL without a host"


def flag(value: object) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else f"must be true or false, not {kind_of(value)}"


def count(value: object) -> str | None:
    """A whole number, 0 or more."""
    if not isinstance(value, int) or isinstance(value, bool):
        return f"must be a whole number, not {value if isinstance(value, float) else kind_of(value)}"
    return "must not be negative" if value < 0 else None


def seconds(value: object) -> str | None:
    """A time in seconds, 0 for no limit."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return f"must be a number of seconds, not {kind_of(value)}"
    if value < 0:
        return "must not be negative; 0 means no limit"
    return None if value < LONGEST else f"must be below {LONGEST}; 0 means no limit"


def rate(value: object) -> str | None:
    """A number per minute, 0 for no limit."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return f"must be a number, not {kind_of(value)}"
    return None if 0 <= value < 1e12 else "must be 0 or more"


def folder(value: object) -> str | None:
    """The absolute path of a folder."""
    flaw = text(value)
    if (
        flaw is None
        and not str(value).startswith(("/", "~"))
        and not PureWindowsPath(str(value)).is_absolute()
    ):
        return "must be an absolute path"
    return flaw


def factory(value: object) -> str | None:
    """The class or function that creates a Python object: package.module:Class."""
    module, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    good = all(part.isidentifier() for part in (*module.split("."), *name.split(".")))
    return None if good else 'must be text such as "package.module:Class"'


def adapter(value: object) -> str | None:
    """The name of an adapter."""
    from llmstream.adapters import registry

    if not isinstance(value, str):
        return f"must be text, not {kind_of(value)}"
    if registry.known(value):
        return None
    right = did_you_mean(value, registry.names()) or "; known: " + ", ".join(registry.names())
    return f"names an unknown adapter {quoted(value)}{right}"


def dialect(value: object) -> str | None:
    """The API used to prompt the local model."""
    from llmstream.adapters.registry import EMBEDDED

    return None if value in EMBEDDED else "must be one of " + ", ".join(EMBEDDED)


def preset(value: object) -> str | None:
    """The name of a provider in the catalogue."""
    from llmstream.adapters import catalogue

    if not isinstance(value, str):
        return f"must be text, not {kind_of(value)}"
    rows = catalogue.names()
    return None if value in rows else f"names an unknown provider: {quoted(value)}{did_you_mean(value, rows)}"


def quirks(value: object) -> str | None:
    """A list of the names of known deviations from an API."""
    from llmstream.adapters.quirks import Quirk

    if not isinstance(value, list) or not all(isinstance(q, str) for q in value):
        return "must be a list of names"
    for quirk in value:
        if quirk not in (known := [one.value for one in Quirk]):
            right = did_you_mean(quirk, known) or "; known: " + ", ".join(known)
            return f"names an unknown quirk {quoted(quirk)}{right}"
    return None


def header(value: object) -> str | None:
    """The value of an HTTP header."""
    if not isinstance(value, str):
        return f"must be text, not {kind_of(value)}"
    return None if value.isascii() and not unprintable(value) else "must be ASCII without control characters"


def json(value: object) -> str | None:
    """Any value that JSON can represent: no dates, no infinity or NaN."""
    if isinstance(value, dict):
        return next((flaw for item in value.values() if (flaw := json(item))), None)
    if isinstance(value, list):
        return next((flaw for item in value if (flaw := json(item))), None)
    if isinstance(value, float) and value - value != 0:
        return "is a number that JSON can't represent"
    return (
        None if isinstance(value, str | int | float) else f"is {kind_of(value)}, which JSON can't represent"
    )


def kind_of(value: object) -> str:
    """Return the name of a value's type for a message: ``text``, ``a number``, ``a table``."""
    return _CALLED.get(type(value), "a date or time")


_CALLED: Final[Mapping[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


def option(name: str, value: object) -> str | None:
    """Return what is wrong with the value of the model option `name`, None when it is valid."""
    return option_complaint(name, value) if json(value) is None else json(value)
