"""API keys in files, for systems without a keyring: one file per provider, mode 0600.

They are in ``keys/PROVIDER.key`` next to the configuration file and need no entry in it.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from llmstream.config.paths import write_private
from llmstream.errors import ConfigError


def kept_file(folder: Path, provider: str) -> Path:
    """Return the path of a provider's key file, whether or not it exists.

    Args:
        folder: the configuration's folder.
        provider: its name; characters that could change the path are quoted.
    """
    return folder / "keys" / f"{quote(provider, safe='')}.key"


def keep(folder: Path, provider: str, key: str) -> Path:
    """Write a provider's key to its file atomically and return the path.

    Raises:
        ConfigError: it can't be written.
    """
    path = kept_file(folder, provider)
    write_private(path, f"{key}\n")
    return path


def forget_kept(folder: Path, provider: str) -> bool:
    """Delete a provider's key file and return whether it existed.

    Raises:
        ConfigError: it can't be deleted.
    """
    path = kept_file(folder, provider)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(f"can't delete {path}: {error.strerror}") from error
    return True
