"""Every key of the configuration file; both the check and the JSON Schema are made from these tables."""

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
        kind: returns what is wrong with a value, None when it is valid.
        schema: JSON Schema of a value.
        meaning: description for people, one line.
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
    "preset": Key(kinds.preset, _TEXT, "catalogue provider to start from"),
    "adapter": Key(kinds.adapter, _TEXT, "API that the provider speaks"),
    "base_url": Key(kinds.base_url, _URL, "URL of the API, with the same ending as the original API's"),
    "model": Key(kinds.text, _TEXT, "default model"),
    "api_key_env": Key(
        kinds.variables,
        {"oneOf": [{"type": "string"}, {"type": "array", "items": _TEXT, "minItems": 1}]},
        'environment variable that holds the key, or a list of them; "" if no key is needed',
    ),
    "api_key_command": Key(kinds.command, _COMMAND, "command whose first line of output is the key"),
    "api_key_file": Key(kinds.text, _TEXT, "file that contains the key"),
    "api_key": Key(kinds.key_text, _TEXT, "the key itself; restrict the file with chmod 600"),
    "max_retries": Key(kinds.count, _COUNT, "retries after the first attempt (2)"),
    "quirks": Key(kinds.quirks, {"type": "array", "items": _TEXT}, "known deviations from the API"),
    "proxy": Key(kinds.proxy, {"type": "string", "format": "uri"}, "proxy for this provider"),
    "ca_file": Key(kinds.text, _TEXT, "PEM file with CA certificates to trust in addition to the system's"),
    "client_cert": Key(kinds.text, _TEXT, "PEM file with the client certificate and its key"),
    "aws_region": Key(kinds.text, _TEXT, "adapter bedrock: region to sign requests for (taken from the URL)"),
    "aws_profile": Key(kinds.text, _TEXT, "adapter bedrock: AWS profile to sign with"),
    "dialect": Key(kinds.dialect, _TEXT, "adapter local: API used to prompt the model (openai-chat)"),
    "context": Key(
        kinds.count, _COUNT, "adapter local: context in tokens; 0 for the model's own, up to 8192"
    ),
    "threads": Key(kinds.count, _COUNT, "adapter local: threads; 0 for llama.cpp's default"),
    "command": Key(
        kinds.command, _COMMAND, "adapter exec: command to run; {prompt} is replaced by the prompt"
    ),
    "factory": Key(kinds.factory, _TEXT, 'adapter runnable: what creates the object, "package.module:Class"'),
    "path": Key(kinds.folder, _TEXT, "adapter runnable: additional folder to import factory from"),
    "steps": Key(kinds.flag, _FLAG, "adapter runnable: also report the object's own steps as events (false)"),
    "file": Key(kinds.text, _TEXT, "adapter replay: recording to answer from"),
}
"""Keys of ``[providers.NAME]`` with plain values."""

TABLES: Final[dict[str, str]] = {
    "headers": "HTTP headers to send in addition to the adapter's own",
    "options": "model options: temperature, max_tokens, ...; unknown ones are sent unchanged",
    "extra_body": "merged unchanged into the body of each request",
    "timeout": "time limits in seconds, 0 for no limit",
    "limits": "rate limits for batch jobs",
}
"""Keys of ``[providers.NAME]`` that hold tables."""

TIMEOUT: Final[dict[str, Key]] = {
    "connect": Key(kinds.seconds, _SECONDS, "for DNS, TCP and TLS (10)"),
    "first_token": Key(kinds.seconds, _SECONDS, "until the first text, reasoning or tool call (600)"),
    "idle": Key(kinds.seconds, _SECONDS, "between two events (120)"),
    "total": Key(kinds.seconds, _SECONDS, "for the whole run, retries included (0)"),
}
"""Keys of ``timeout``."""

LIMITS: Final[dict[str, Key]] = {
    "rpm": Key(kinds.rate, _RATE, "requests per minute, for batch; 0 for no limit"),
    "tpm": Key(kinds.rate, _RATE, "tokens per minute, for batch; 0 for no limit"),
}
"""Keys of ``limits``."""

INSIDE: Final[dict[str, dict[str, Key]]] = {"timeout": TIMEOUT, "limits": LIMITS}
"""Tables of a provider that accept only known keys."""

TOP: Final[dict[str, Key]] = {
    "default": Key(kinds.text, _TEXT, "default model: PROVIDER, PROVIDER/MODEL or alias"),
    "history": Key(kinds.flag, _FLAG, "keep runs in the history (true)"),
    "markdown": Key(kinds.flag, _FLAG, "show answers as Markdown on a terminal (true)"),
    "markdown_theme": Key(kinds.text, _TEXT, "Pygments style for code in answers"),
}
"""Top-level keys with plain values."""

TOP_TABLES: Final[dict[str, str]] = {
    "aliases": "short names for PROVIDER or PROVIDER/MODEL",
    "providers": "services, by the name used before the slash",
}
"""Top-level keys that hold tables."""

KEY_SETTINGS: Final = ("api_key_env", "api_key_command", "api_key_file", "api_key")
"""Settings that give a provider's API key, in the order in which they are tried."""

RUNS_CODE: Final = ("command", "api_key_command", "factory", "path")
"""Keys that make llmstream run code; accepted only in a file that no other user can write."""
