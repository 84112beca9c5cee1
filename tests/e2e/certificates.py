"""Certificates of an authority of our own, made by the system's openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


class Authority:
    """An authority and the certificates that it signs, as PEM files in a folder.

    Args:
        folder: where to.
    """

    def __init__(self, folder: Path) -> None:
        self._openssl = shutil.which("openssl") or pytest.skip("openssl is not installed")
        self._folder = folder
        self._key = folder / "ca.key"
        self.certificate = folder / "ca.pem"
        self._run("req", "-x509", *self._new(self._key, "Tests"), "-days", "2", "-out", self.certificate)

    def issue(self, name: str, extension: str = "") -> Path:
        """Return a file with a certificate and its key.

        Args:
            name: of its owner, and of the file.
            extension: such as ``subjectAltName=IP:127.0.0.1``.
        """
        key, request, pem = (self._folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        added = ["-addext", extension] if extension else []
        self._run("req", *self._new(key, name), *added, "-out", request)
        signed: list[str | Path] = [
            "-CA",
            self.certificate,
            "-CAkey",
            self._key,
            "-CAcreateserial",
            "-copy_extensions",
            "copy",
        ]
        self._run("x509", "-req", "-in", request, *signed, "-days", "2", "-out", pem)
        pem.write_text(pem.read_text() + key.read_text())
        return pem

    def server(self, name: str, extension: str, *, clients: bool = False) -> ssl.SSLContext:
        """Return a server's context; with `clients` it wants a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issue(name, extension))
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.certificate)
        return context

    def hashed(self, folder: Path) -> Path:
        """Make a folder in which OpenSSL finds this authority by its hash; return it."""
        folder.mkdir()
        shutil.copy(self.certificate, folder)
        self._run("rehash", folder)
        return folder

    def _new(self, key: Path, name: str) -> list[str | Path]:
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        return [*kind, "-keyout", key, "-subj", f"/CN={name}"]

    def _run(self, *arguments: str | Path) -> None:
        subprocess.run([self._openssl, *arguments], check=True, capture_output=True, timeout=30)
