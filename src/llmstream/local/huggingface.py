"""Find the file of ``hf:OWNER/REPO[:FILE]`` on the Hugging Face hub or a mirror of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from llmstream.errors import BadMessage, ConfigError, UsageError
from llmstream.prompt import Secret
from llmstream.record import Record
from llmstream.transport.http.get import check_address, opened

HUB: Final = "https://huggingface.co"
_SOURCE: Final = re.compile(r"hf:([\w.-]+/[\w.-]+)(?::(.+))?", re.ASCII)
_PIECE: Final = re.compile(r"-\d{5}-of-\d{5}\.gguf$")
_MOST_OF_A_LIST: Final = 16 << 20
_LISTED: Final = 20
_PREFERRED: Final = "q4_k_m"  # the usual compromise of size and quality


class HubFile(Record):
    """One file on the hub.

    Args:
        url: where to download it.
        name: the file name, without folders.
        token: the user's access token, None without one.
    """

    url: str
    name: str
    token: Secret | None


def find(source: str, environ: Mapping[str, str]) -> HubFile:
    """Return the file that a name refers to; without FILE, the repository's only GGUF or Q4_K_M file.

    Args:
        source: ``hf:OWNER/REPO`` or ``hf:OWNER/REPO:FILE``.
        environ: HF_ENDPOINT names a mirror, HF_TOKEN the user's token.

    Raises:
        UsageError: the name is invalid, or doesn't identify one file; if there are several, the message
            lists them.
        ConfigError: HF_ENDPOINT or HF_TOKEN is invalid.
        ProviderError: the hub refused.
        ConnectionFailed, TimeLimitPassed: the hub can't be reached, or not in time.
        StreamError: the hub's list broke off or is invalid.

    Source: huggingface.co/docs/hub/api, "GET /api/models/{repo_id}" (`siblings[].rfilename`).
    """
    match = _SOURCE.fullmatch(source)
    if match is None or ".." in source:
        raise UsageError(f"{source!r} is not of the form hf:OWNER/REPO or hf:OWNER/REPO:FILE")
    repository, file = match[1], match[2]
    endpoint = check_address(environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    token = _token(environ.get("HF_TOKEN", "").strip())
    if file is None:
        file = _chosen(repository, _files(f"{endpoint}/api/models/{repository}", token))
    if _PIECE.search(file):
        raise UsageError(f"{file} is one piece of a model in several files, which can't be used alone")
    url = f"{endpoint}/{repository}/resolve/main/{quote(file)}?download=true"
    return HubFile(url, file.rpartition("/")[2], token)


def _token(text: str) -> Secret | None:
    if not text:
        return None
    if not (text.isascii() and text.isprintable()):
        raise ConfigError("HF_TOKEN contains characters that tokens never have")
    return Secret(text, "$HF_TOKEN")


def _files(url: str, token: Secret | None) -> list[str]:
    with opened(url, {"accept": "application/json"}, token) as answer:
        body = answer.beginning(_MOST_OF_A_LIST)
    try:
        siblings = json.loads(body)["siblings"]
        names = [sibling["rfilename"] for sibling in siblings]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadMessage(f"{url} did not return a list of files") from error
    return [name for name in names if isinstance(name, str) and name.lower().endswith(".gguf")]


def _chosen(repository: str, files: list[str]) -> str:
    whole = [name for name in files if not _PIECE.search(name)]
    if len(whole) == 1:
        return whole[0]
    preferred = [name for name in whole if _PREFERRED in name.lower()]
    if len(preferred) == 1:
        return preferred[0]
    if not whole:
        several = " in one piece" if files else ""
        hint = "repositories that have one often end in -GGUF"
        raise UsageError(f"{repository} has no GGUF file{several}", hint=hint)
    more = f" and {len(whole) - _LISTED} more" if len(whole) > _LISTED else ""
    raise UsageError(
        f"{repository} has several models: {', '.join(whole[:_LISTED])}{more}",
        hint=f"name one: hf:{repository}:{whole[0]}",
    )
