"""API keys in the system's keyring, by provider; needs the extra `keyring`."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from llmstream.errors import ConfigError, MissingExtra

SERVICE: Final = "llmstream"


def _keyring(provider: str = "PROVIDER") -> ModuleType:
    try:
        import keyring
    except ImportError as error:
        raise MissingExtra(
            "the system keyring needs the Python package keyring",
            hint=f"pip install 'llmstream-cli[keyring]'\nor {_in_a_file(provider)}",
        ) from error
    module: ModuleType = keyring
    return module


def require(provider: str) -> None:
    """Check that this system has a keyring.

    Args:
        provider: its name, for the hint.

    Raises:
        MissingExtra: the package is not installed.
        ConfigError: this system has no keyring, as on most servers and containers.
    """
    if type(_keyring(provider).get_keyring()).__module__ == "keyring.backends.fail":
        raise ConfigError("this system has no keyring", hint=_in_a_file(provider))


def _in_a_file(provider: str) -> str:
    return f"store the key in a file that only you can read: llmstream keys set {provider} --file"


def stored(provider: str) -> str | None:
    """Return a provider's key, None when there is none, no keyring, or the keyring is locked."""
    try:
        found = _keyring().get_password(SERVICE, provider)
    except MissingExtra:
        return None
    except Exception:  # noqa: BLE001  # each backend has its own errors; a locked keyring has no key
        return None
    return str(found) if found else None


def store(provider: str, key: str) -> None:
    """Store a provider's key.

    Raises:
        MissingExtra: the package is not installed.
        ConfigError: the keyring does not accept it.
    """
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, provider, key)
    except Exception as error:
        raise ConfigError(
            f"the keyring refused to store the key for {provider} ({type(error).__name__})"
        ) from error


def forget(provider: str) -> None:
    """Delete a provider's key.

    Raises:
        MissingExtra: the package is not installed.
        ConfigError: there is no key, or the keyring refuses.
    """
    keyring = _keyring()
    try:
        keyring.delete_password(SERVICE, provider)
    except Exception as error:
        raise ConfigError(
            f"the keyring has no key for {provider} to delete ({type(error).__name__})"
        ) from error
