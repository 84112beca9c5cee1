"""A keyring in a file, for tests: ``PYTHON_KEYRING_BACKEND=file_keyring.FileKeyring``.

It runs in the command's process, not in that of the tests.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):  # type: ignore[misc,unused-ignore]  # untyped where it is missing
    """Keeps all keys in the file that ``TEST_KEYRING`` names; without one it is locked."""

    priority = 1

    def _all(self) -> dict[str, str]:
        path = Path(os.environ["TEST_KEYRING"])
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def _write(self, keys: dict[str, str]) -> None:
        Path(os.environ["TEST_KEYRING"]).write_text(json.dumps(keys))

    def get_password(self, service: str, username: str) -> str | None:
        """Return a key."""
        return self._all().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a key."""
        self._write({**self._all(), f"{service} {username}": password})

    def delete_password(self, service: str, username: str) -> None:
        """Forget a key."""
        keys = self._all()
        if keys.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError(username)
        self._write(keys)
