"""llama.cpp in a process: it answers, says nothing, and lets the process end in peace."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from llmstream.errors import LocalModelError, MissingExtra
from llmstream.local.server import LlamaServer, server_for
from local_model import model_path, need_llama

SOURCE = str(Path(__file__).parents[2] / "src")
ASK = """
import http.client, json, os, signal, sys
from pathlib import Path
from llmstream.local.server import server_for
address, key = server_for(Path(sys.argv[1]), threads=1).start()
connection = http.client.HTTPConnection(address.removeprefix("http://"))
said = [{"role": "user", "content": "Count."}]
body = json.dumps({"messages": said, "stream": True, "ignore_eos": True, "max_tokens": 900})
headers = {"Authorization": "Bearer " + key.reveal()}
connection.request("POST", "/v1/chat/completions", body, headers)
answer = connection.getresponse()
for _ in range(10):
    assert answer.readline()
print("answering", flush=True)
"""
NEW_PROCESS_TIME = 20  # seconds; a hang takes 30 or for ever


@pytest.fixture(scope="module")
def model() -> Path:
    """The real model's file."""
    need_llama()
    return model_path()


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=NEW_PROCESS_TIME,
        env={**os.environ, "PYTHONPATH": SOURCE},
        check=False,
    )


def ask(address: str, key: str, path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    document = json.loads(answer.read())
    connection.close()
    return answer.status, document


def test_chat_is_answered_by_a_name_that_tells_no_path(model: Path) -> None:
    address, key = server_for(model, threads=1).start()
    assert address.startswith("http://127.0.0.1:")
    body = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8, "temperature": 0}
    status, document = ask(address, key.reveal(), "/v1/chat/completions", dict(body))
    assert status == 200
    assert document["model"] == model.stem
    choices = document["choices"]
    assert isinstance(choices, list) and choices[0]["message"]["content"]


def test_wrong_key_is_refused(model: Path) -> None:
    address, _ = server_for(model, threads=1).start()
    assert ask(address, "guess", "/v1/completions", {"prompt": "a", "max_tokens": 1})[0] == 401


def test_many_threads_start_one_server(model: Path) -> None:
    found = list[str]()
    threads = [
        threading.Thread(target=lambda: found.append(server_for(model, threads=1).start()[0]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("os._exit(4)", 4),
        ("connection.close(); sys.exit(5)", 5),
        ("import threading; threading.Thread(target=answer.read, daemon=True).start(); sys.exit(6)", 6),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
    ],
)
def test_process_ends_at_once_with_its_own_status_amid_an_answer(end: str, status: int, model: Path) -> None:
    # a crash while ending came in every third run: all of these together find it
    done = run(ASK + end, str(model))
    assert (done.returncode, done.stdout) == (status, "answering\n"), done.stderr
    assert "Traceback" not in done.stderr or "KeyboardInterrupt" in done.stderr


def test_nothing_is_said_and_the_last_output_is_not_lost(model: Path) -> None:
    done = run(ASK + "sys.stdout.write('last word')", str(model))
    assert (done.stdout, done.stderr) == ("answering\nlast word", "")


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")
def test_ctrl_c_while_the_model_loads_does_not_hang(model: Path) -> None:
    code = "import xllamacpp\nprint('loading', flush=True)\n" + ASK
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(model)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": SOURCE},
    )
    assert child.stdout is not None and child.stdout.readline() == b"loading\n"
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=NEW_PROCESS_TIME)
    assert child.returncode == -signal.SIGINT


@pytest.fixture(scope="module")
def whole(model: Path) -> bytes:
    """What the real model's file holds."""
    return model.read_bytes()


def damaged(whole: bytes, path: Path, how: str) -> Path:
    data = {
        "empty": b"",
        "text": b"hello\n" * 100,
        "magic": b"GGUF",
        "head": whole[:30],
        "half": whole[: len(whole) // 2],
        "counts": whole[:8] + b"\xff" * 16 + whole[24:],
        "kind": whole.replace(b"llama", b"zzzzz", 1),
    }[how]
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("how", ["empty", "text", "magic", "head", "half", "counts", "kind"])
def test_damaged_file_is_one_clear_error(
    how: str, whole: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = damaged(whole, tmp_path / "m.gguf", how)
    with pytest.raises(LocalModelError, match=r"m\.gguf"):
        LlamaServer(path).start()
    assert capfd.readouterr() == ("", "")


def test_missing_file_and_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(LocalModelError, match="file not found"):
        LlamaServer(tmp_path / "m.gguf").start()
    with pytest.raises(LocalModelError, match="is a directory, not a model file"):
        LlamaServer(tmp_path).start()


def test_missing_extra_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtra) as raised:
        LlamaServer(path).start()
    assert "llmstream-cli[local]" in raised.value.hint
