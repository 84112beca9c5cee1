"""Find a provider's API key.

A key belongs to its provider: only that provider's settings are read, never another one's variable.
No message contains a key; it names the key's origin instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmstream.config.file.kinds import key_flaw
from llmstream.config.paths import present
from llmstream.errors import ConfigError, MissingKey
from llmstream.prompt import Secret
from llmstream.record import Record

if TYPE_CHECKING:
    from subprocess import Popen

COMMAND_LIMIT: Final = 60.0
"""Seconds for `api_key_command`: a person may have to type a passphrase."""

LONGEST: Final = 1 << 16
"""Size limit, in bytes, of a key's file or of the command's output."""

NOT_FETCHED: Final = "llmstream-key-not-fetched"
"""Placeholder for a key when only its origin is needed; never sent."""


def find_key(
    provider: str,
    settings: Mapping[str, object],
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    kept: Path | None = None,
    fetch: bool = True,
    optional: bool = False,
) -> Secret | None:
    """Return a provider's key, None when it needs none.

    Args:
        provider: its name, for messages.
        settings: `api_key_env` (one name or several), `api_key_command`, `api_key_file`, `api_key`: the
            first that gives a key is used, then `kept`, then the system's keyring.  If only an empty
            `api_key_env` is set, no key is needed.
        environment: the environment variables.
        folder: base of a relative `api_key_file`, None for the current folder.
        kept: the file where `llmstream keys set --file` stores this provider's key, None for none.
        fetch: False to run no command and read no file (the keyring is still asked), and return a
            placeholder that has only the origin.
        optional: return None instead of raising MissingKey when there is no key.

    Raises:
        MissingKey: no setting gives a key, or the key is empty.
        ConfigError: the key can't be sent in a header, the file can't be read, or the command failed.
    """
    names = variables(settings)
    found = next((name for name in names if environment.get(name, "").strip()), None)
    if found is not None:
        return _checked(provider, environment[found] if fetch else NOT_FETCHED, f"${found}")
    key = _configured(provider, settings, folder, fetch=fetch)
    if key is not None:
        return key
    if not names and "api_key_env" in settings:
        return None
    if kept is not None and present(kept):
        return _checked(provider, _content(kept, provider) if fetch else NOT_FETCHED, f"api_key_file {kept}")
    stored = _from_keyring(provider, fetch=fetch)
    if stored is not None:
        return _checked(provider, stored, "keyring")
    if optional:
        return None
    if not fetch:
        return Secret(NOT_FETCHED, f"${names[0]}" if names else "")
    raise missing(provider, names)


def _from_keyring(provider: str, *, fetch: bool) -> str | None:
    """Return the key in the system's keyring, which is tried last because it is slowest."""
    from importlib.util import find_spec

    if find_spec("keyring") is None:
        return None
    from llmstream.config.keys.keyring import stored

    found = stored(provider)
    return NOT_FETCHED if found and not fetch else found


def _configured(
    provider: str, settings: Mapping[str, object], folder: Path | None, *, fetch: bool
) -> Secret | None:
    command, file, literal = (settings.get(k) for k in ("api_key_command", "api_key_file", "api_key"))
    if isinstance(command, list):
        origin = f"api_key_command {command[0]}"
        return _checked(provider, _first_line(tuple(command), provider) if fetch else NOT_FETCHED, origin)
    if isinstance(file, str):
        path = expanded(file, folder)
        return _checked(provider, _content(path, provider) if fetch else NOT_FETCHED, f"api_key_file {path}")
    if isinstance(literal, str):
        return _checked(provider, literal if fetch else NOT_FETCHED, f"api_key in [providers.{provider}]")
    return None


def variables(settings: Mapping[str, object]) -> Sequence[str]:
    """Return the names of the variables that may hold the key, best first."""
    names = settings.get("api_key_env") or ()
    return [names] if isinstance(names, str) else list(names)  # type: ignore[call-overload]


class KeyState(Record):
    """Where a provider's key would come from, found without fetching it.

    Args:
        wanted: whether the provider needs a key.
        found: whether there is one, as far as is known without running a command.
        origin: ``$GROQ_API_KEY``, ``api_key_file /run/secrets/groq``; "" when none is needed or configured.
    """

    wanted: bool
    found: bool
    origin: str


def key_state(
    provider: str,
    settings: Mapping[str, object],
    environment: Mapping[str, str],
    *,
    folder: Path | None = None,
    kept: Path | None = None,
    optional: bool = False,
) -> KeyState:
    """Return what `find_key` would find, without running a command or reading a file.

    Args:
        provider: its name.
        settings: as for `find_key`.
        environment: the environment variables.
        folder: as for `find_key`.
        kept: as for `find_key`.
        optional: as for `find_key`.

    Raises:
        ConfigError: `api_key_file` starts with ``~`` and there is no home folder.
    """
    key = find_key(provider, settings, environment, folder=folder, kept=kept, fetch=False, optional=optional)
    if key is None or not key.origin:
        return KeyState(wanted=key is not None, found=False, origin="")
    if key.origin.startswith("$"):
        return KeyState(True, bool(environment.get(key.origin[1:], "").strip()), key.origin)
    file = settings.get("api_key_file")
    by_file = isinstance(file, str) and key.origin.startswith("api_key_file")
    return KeyState(True, not by_file or present(expanded(str(file), folder)), key.origin)


def missing(provider: str, names: Sequence[str]) -> MissingKey:
    """Return the error that says which key is missing and how to set it."""
    table = f"[providers.{provider}] in the configuration"
    if names:
        what = f"no API key for {provider}: ${names[0]} is not set"
        hint = (
            f"set {' or '.join(names)}, or store the key: llmstream keys set {provider}\n"
            "(add --file to keep it in a file that only you can read)\n"
            f"or set api_key_command or api_key_file under {table}"
        )
    else:
        what = f"no API key for {provider}"
        hint = (
            f"store one: llmstream keys set {provider}\n"
            f'or set api_key_env, api_key_command or api_key_file under {table}; api_key_env = "" for none'
        )
    return MissingKey(what, hint=hint, provider=provider, phase="config")


def expanded(file: str, folder: Path | None) -> Path:
    """Return a path of the configuration with `~` expanded, relative ones resolved against `folder`.

    Args:
        file: the path as configured.
        folder: the configuration's folder, None for the current one.

    Raises:
        ConfigError: the path starts with ``~`` and there is no home folder.
    """
    path = Path(file)
    try:
        path = path.expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{file}: this user has no home folder", phase="config") from error
    return (folder or Path()) / path


def _checked(provider: str, key: str, origin: str) -> Secret:
    key = key.strip()
    if not key:
        raise MissingKey(f"the API key for {provider} is empty ({origin})", provider=provider, phase="config")
    flaw = key_flaw(key)
    if flaw is not None:
        raise ConfigError(f"the API key for {provider} ({origin}) {flaw}", provider=provider, phase="config")
    return Secret(key, origin)


def _content(path: Path, provider: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        reason = f"can't read the API key for {provider} from {path}: {error.strerror}"
        raise ConfigError(reason, provider=provider, phase="config") from error
    return _text(data, f"the file {path} with the API key for {provider}")


def _text(data: bytes, called: str) -> str:
    if len(data) > LONGEST:
        raise ConfigError(f"{called} is larger than the limit of {LONGEST} bytes", phase="config")
    # an invalid byte becomes a non-ASCII character, which is rejected later
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


@lru_cache(maxsize=32)
def _first_line(command: tuple[str, ...], provider: str) -> str:
    """Run a command once and return its first line of output, so that a passphrase is typed only once."""
    import subprocess

    called = f"api_key_command for {provider} ({command[0]})"
    try:
        # stdin may be the prompt; stderr stays connected for the command's questions and messages
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it can't be started"
        raise ConfigError(f"{called}: {reason}", provider=provider, phase="config") from error
    output = _bounded_output(child, called)
    if child.wait():
        reason = f"{called} exited with status {child.returncode}"
        raise ConfigError(reason, provider=provider, phase="config")
    return _text(output, f"the output of {called}").strip("\r\n").partition("\n")[0]


def _bounded_output(child: Popen[bytes], called: str) -> bytes:
    from threading import Thread

    output: list[bytes] = []
    pipe = child.stdout
    assert pipe is not None

    # a thread, because a grandchild may keep the pipe open after the child has exited
    def read() -> None:
        with pipe:
            output.append(pipe.read(LONGEST + 1))

    reader = Thread(target=read, daemon=True)
    reader.start()
    reader.join(COMMAND_LIMIT)
    late = not output
    if output and len(output[0]) <= LONGEST:
        return output[0]
    child.kill()
    child.wait()
    reason = f"took longer than {COMMAND_LIMIT:g} s" if late else f"wrote more than {LONGEST} bytes"
    raise ConfigError(f"{called} {reason}", phase="config")
