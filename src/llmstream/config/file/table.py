"""Every key of the configuration file, once: the check and the JSON Schema both read this table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmstream.config.file import kinds
from llmstream.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmstream.config.file.kinds import Complaint
    from llmstream.prompt import Json


class Key(Record):
    """One key with a plain value.

    Args:
        kind: says what is wrong with a value, None when nothing is.
        schema: JSON Schema of a value.
        meaning: for people, one line.
    """

    kind: Complaint
    schema: Mapping[str, Json]
    meaning: str


_TEXT: Final[dict[str, Json]] = {"type": "string", "minLength": 1}
_COMMAND: Final[dict[str, Json]] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_COUNT: Final[dict[str, Json]] = {"type": "integer", "minimum": 0}
_FLAG: Final[dict[str, Json]] = {"type": "boolean"}
_RATE: Final[dict[str, Json]] = {"type": "number", "minimum": 0}
_SECONDS: Final[dict[str, Json]] = {"type": "number", "minimum": 0}
_URL: Final[dict[str, Json]] = {"type": "string", "format": "uri", "pattern": "^https?://[^/]"}

PROVIDER: Final[dict[str, Key]] = {
    "preset": Key(kinds.preset, _TEXT, "provider of the catalogue to start from"),
    "adapter": Key(kinds.adapter, _TEXT, "dialect that the provider speaks"),
    "base_url": Key(kinds.base_url, _URL, "address of the API, ending as that API's own does"),
    "model": Key(kinds.text, _TEXT, "model to ask when none is named"),
    "api_key_env": Key(
        kinds.variables,
        {"oneOf": [{"type": "string"}, {"type": "array", "items": _TEXT, "minItems": 1}]},
        'environment variable that holds the key, or a list of them; "" when the server wants no key',
    ),
    "api_key_command": Key(kinds.command, _COMMAND, "command whose first line of output is the key"),
    "api_key_file": Key(kinds.text, _TEXT, "file with the key"),
    "api_key": Key(kinds.key_text, _TEXT, "the key itself, in a file that only you can read"),
    "max_retries": Key(kinds.count, _COUNT, "attempts after the first (2)"),
    "quirks": Key(kinds.quirks, {"type": "array", "items": _TEXT}, "known deviations from the dialect"),
    "proxy": Key(kinds.proxy, {"type": "string", "format": "uri"}, "proxy for this provider"),
    "ca_file": Key(kinds.text, _TEXT, "certificates to trust beside the system's, as PEM"),
    "client_cert": Key(kinds.text, _TEXT, "certificate and key to show the server, as one PEM file"),
    "aws_region": Key(kinds.text, _TEXT, "adapter bedrock: region to sign requests for (the address's)"),
    "aws_profile": Key(kinds.text, _TEXT, "adapter bedrock: profile of the AWS files to sign with"),
    "dialect": Key(kinds.dialect, _TEXT, "adapter local: how the model is asked (openai-chat)"),
    "context": Key(kinds.count, _COUNT, "adapter local: context in tokens, 0 for the model's own"),
    "threads": Key(kinds.count, _COUNT, "adapter local: threads, 0 for as many as there are cores"),
    "command": Key(kinds.command, _COMMAND, "adapter exec: the command; {prompt} is replaced by the prompt"),
    "factory": Key(kinds.factory, _TEXT, 'adapter runnable: what makes the object, "package.module:Class"'),
    "path": Key(
        kinds.folder, _TEXT, "adapter runnable: a folder of yours from which factory is imported too"
    ),
    "steps": Key(kinds.flag, _FLAG, "adapter runnable: give the object's own steps as events too (false)"),
    "file": Key(kinds.text, _TEXT, "adapter replay: the recording that answers"),
}
"""Keys of ``[providers.NAME]`` with plain values."""

TABLES: Final[dict[str, str]] = {
    "headers": "HTTP headers to send beside the adapter's own",
    "options": "model options: temperature, max_tokens, ...; unknown ones are sent as they are",
    "extra_body": "merged into each request's body as it is",
    "timeout": "time limits in seconds, 0 for none",
    "limits": "requests and tokens a minute that a batch may use",
}
"""Keys of ``[providers.NAME]`` that hold tables."""

TIMEOUT: Final[dict[str, Key]] = {
    "connect": Key(kinds.seconds, _SECONDS, "for name, TCP and TLS (10)"),
    "first_token": Key(kinds.seconds, _SECONDS, "until the first text or reasoning (600)"),
    "idle": Key(kinds.seconds, _SECONDS, "from one event to the next (120)"),
    "total": Key(kinds.seconds, _SECONDS, "for the whole run, retries included (0)"),
}
"""Keys of ``timeout``."""

LIMITS: Final[dict[str, Key]] = {
    "rpm": Key(kinds.rate, _RATE, "requests a minute, for batch; 0 for any number"),
    "tpm": Key(kinds.rate, _RATE, "tokens a minute, for batch; 0 for any number"),
}
"""Keys of ``limits``."""

INSIDE: Final[dict[str, dict[str, Key]]] = {"timeout": TIMEOUT, "limits": LIMITS}
"""Tables of a provider whose keys are known."""

TOP: Final[dict[str, Key]] = {
    "default": Key(kinds.text, _TEXT, "PROVIDER, PROVIDER/MODEL or alias that is asked when none is named"),
    "history": Key(kinds.flag, _FLAG, "keep runs in the history (true)"),
    "markdown": Key(kinds.flag, _FLAG, "show answers as Markdown on a terminal (true)"),
    "markdown_theme": Key(kinds.text, _TEXT, "colours of code in answers: a style of Pygments"),
}
"""Keys of the file itself with plain values."""

TOP_TABLES: Final[dict[str, str]] = {
    "aliases": "short names for PROVIDER or PROVIDER/MODEL",
    "providers": "services, by the name that stands before the slash",
}
"""Keys of the file itself that hold tables."""

KEY_SETTINGS: Final = ("api_key_env", "api_key_command", "api_key_file", "api_key")
"""Ways to a provider's key, in the order in which they are tried."""

RUNS_CODE: Final = ("command", "api_key_command", "factory", "path")
"""Keys that run a program: only from a file that nobody else can have written."""
