"""Ctrl-C while the local model is fetched on first use."""

from __future__ import annotations

import signal
import socket

import pytest

from fakes.command import Command, Home
from local_model import need_llama


@pytest.mark.parametrize("engine", ["--sync", "--async"])
def test_ctrl_c_ends_a_fetch_and_the_installer_at_once(
    home: Home, run_llmstream: Command, engine: str
) -> None:
    """The index takes the installer's connection and never answers."""
    need_llama()
    with socket.create_server(("127.0.0.1", 0)) as index:
        address = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        home.environment |= {
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": address,
            "UV_INDEX_URL": address,
        }
        process = run_llmstream.start(engine, "-m", "local", "Hello")
        index.settimeout(60)
        installer, _ = index.accept()
        with installer:
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
            installer.settimeout(10)
            while installer.recv(4096):
                pass
    assert process.stderr
    assert b"Traceback" not in process.stderr.read()
    assert list(home.folder.joinpath("data", "llmstream", "models").iterdir()) == []


@pytest.mark.parametrize("engine", ["--sync", "--async"])
def test_ctrl_c_ends_the_wait_for_another_process_that_fetches(
    home: Home, run_llmstream: Command, engine: str
) -> None:
    need_llama()
    with socket.create_server(("127.0.0.1", 0)) as index:
        address = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        home.environment |= {
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": address,
            "UV_INDEX_URL": address,
        }
        first = run_llmstream.start("-m", "local", "Hello")
        index.settimeout(60)
        index.accept()[0].close()
        first.send_signal(signal.SIGSTOP)
        second = run_llmstream.start(engine, "-m", "local", "Hello")
        assert second.stderr
        while b"another process is downloading" not in (line := second.stderr.readline()):
            assert line
        second.send_signal(signal.SIGINT)
        assert second.wait(10) == 130
        first.send_signal(signal.SIGCONT)
        first.send_signal(signal.SIGINT)
        assert first.wait(10) == 130
