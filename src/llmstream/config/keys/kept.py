"""Keys in files of the user's own, for systems without a keyring: one file a provider, mode 0600.

They lie beside the configuration in ``keys/PROVIDER.key`` and need no entry in it.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from llmstream.config.paths import write_private
from llmstream.errors import ConfigError


def kept_file(folder: Path, provider: str) -> Path:
    """Return the file that would hold a provider's key.

    Args:
        folder: the configuration's.
        provider: its name; whatever could lead elsewhere in it is quoted.
    """
    return folder / "keys" / f"{quote(provider, safe='')}.key"


def keep(folder: Path, provider: str, key: str) -> Path:
    """Write a provider's key into its file, in one step, and return the file.

    Raises:
        ConfigError: it can't be written.
    """
    path = kept_file(folder, provider)
    write_private(path, f"{key}\n")
    return path


def forget_kept(folder: Path, provider: str) -> bool:
    """Delete a provider's file and return whether there was one.

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
