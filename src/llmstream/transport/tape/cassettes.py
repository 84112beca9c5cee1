"""Reads a VCR cassette (Ruby's, or Python's vcrpy) as a recording without times.

Only its first call is replayed: the first request to a model's API, and the following ones to the same URL
up to the first that succeeded.

Source: vcrpy 7, "Usage" and `vcr/serializers` (version 1: body as a text or as bytes; headers as lists);
Ruby's vcr 6, "cassettes" (`http_interactions`, `base64_string`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from llmstream.engine.effects import Head
from llmstream.errors import BadMessage, MissingExtra
from llmstream.transport.tape.entries import Attempt, RecordedCall, http_request
from llmstream.transport.tape.inflated import inflate

PATHS: Final = (
    (r"/chat/completions$", "openai-chat"),
    (r"/v\d+/messages$|/messages$|:(streamRawPredict|rawPredict)$", "anthropic"),
    (r"/responses$", "openai-responses"),
    (r"/completions$", "openai-completions"),
    (r":(streamGenerateContent|generateContent)$", "gemini"),
    (r"/api/(chat|generate)$", "ollama"),
    (r"/v[12]/chat$", "cohere"),
    (r"/model/[^/]+/(converse|converse-stream|invoke|invoke-with-response-stream)$", "bedrock"),
)
"""Patterns for the end of a URL's path, and the dialect of each."""
MODEL_IN_PATH: Final = re.compile(r"/models?/([^/:]+)")


def calls_in(data: bytes, path: Path) -> list[RecordedCall]:
    """Return the call in a cassette.

    Args:
        data: the file's content.
        path: the file, for errors.

    Raises:
        MissingExtra: the cassette is YAML, and PyYAML is not installed.
        BadMessage: the file is not a cassette, or has no call to a model.
    """
    try:
        return [_call(_interactions(_parsed(data, path)))]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        why = str(error) if type(error) is ValueError else "it is not a VCR cassette"
        raise BadMessage(f"{path}: {why}") from error


def _parsed(data: bytes, path: Path) -> object:
    if data.lstrip().startswith(b"{"):
        return json.loads(data)
    try:
        import yaml  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise MissingExtra(
            f"{path} is a YAML cassette, and PyYAML is not installed",
            hint="pip install 'llmstream-cli[vcr]'",
            phase="config",
        ) from error
    # libyaml's loader is ten times as fast but stricter: it rejects a character escaped as two surrogates
    loaders = [getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader]
    for loader in loaders:
        try:
            return yaml.load(data, loader)  # noqa: S506  # both are safe loaders
        except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
            failure = error
    mark = getattr(failure, "problem_mark", None)
    where = f", line {mark.line + 1}" if mark is not None else ""
    raise BadMessage(f"{path}{where}: not valid YAML") from failure


def _interactions(document: object) -> list[Mapping[str, object]]:
    if not isinstance(document, dict):
        raise ValueError("it is not a VCR cassette")
    found = document.get("interactions", document.get("http_interactions"))
    if not isinstance(found, list):
        raise ValueError("it has no interactions")
    return found


def _call(interactions: Iterable[Mapping[str, object]]) -> RecordedCall:
    attempts: list[Attempt] = []
    adapter = model = host = address = ""
    for one in interactions:
        request, response = _mapping(one["request"]), _mapping(one["response"])
        url = str(request.get("uri", ""))
        spoken = _dialect(url)
        if not spoken or (address and url != address):
            continue
        body = _text(request.get("body"))
        if not attempts:
            adapter, address, host = spoken, url, urlsplit(url).hostname or "cassette"
            model = _model(body, url)
        attempts.append(_attempt(request, response, body, url, adapter))
        if attempts[-1].head and attempts[-1].head.status < 300:
            break
    if not attempts:
        raise ValueError("it contains no request to a model's API")
    parsed = _json(attempts[0].request.body)
    return RecordedCall(
        provider=host,
        adapter=adapter,
        model=model,
        attempts=attempts,
        stream=parsed.get("stream") is not False,
    )


def _attempt(
    request: Mapping[str, object], response: Mapping[str, object], body: str, url: str, adapter: str
) -> Attempt:
    described = {"method": request.get("method", "POST"), "url": url, "body": _json(body.encode()) or body}
    attempt = Attempt(http_request(described, adapter))
    status = response["status"]
    code = status["code"] if isinstance(status, dict) else status
    if isinstance(code, bool) or not isinstance(code, int):
        raise ValueError("a response has no status")
    headers = _mapping(response.get("headers") or {})
    attempt.head = Head(code, {str(k).lower(): _joined(v) for k, v in headers.items()})
    attempt.reads = [(0.0, _bytes(response.get("body")))]
    attempt.ended = True
    inflate(attempt)
    return attempt


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _dialect(url: str) -> str:
    path = urlsplit(url).path.rstrip("/")
    return next((adapter for end, adapter in PATHS if re.search(end, path)), "")


def _model(body: str, url: str) -> str:
    named = _json(body.encode()).get("model")
    if isinstance(named, str):
        return named
    found = MODEL_IN_PATH.search(urlsplit(url).path)
    return unquote(found[1]) if found else ""


def _json(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(body: object) -> str:
    return _bytes(body).decode("utf-8", "replace")


def _bytes(body: object) -> bytes:
    """Return a body, which may be text, bytes, or an object that contains one of them."""
    if body is None:
        return b""
    if isinstance(body, dict):
        if "base64_string" in body:
            return base64.b64decode(str(body["base64_string"]))
        return _bytes(body.get("string"))
    if isinstance(body, bytes):
        return body
    # YAML reads a character escaped as two surrogates, as JSON does it, as two characters
    return str(body).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
