"""Names on the hub, asked of a hub on this machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmstream.errors import BadMessage, ConfigError, RequestRefused, UsageError
from llmstream.local.huggingface import find
from llmstream.local.models import pull
from local.file_server import FileServer, Served

MODEL = b"GGUF" + b"weights" * 1000


def offer(server: FileServer, *names: str) -> dict[str, str]:
    listing = {"siblings": [{"rfilename": name} for name in ("README.md", *names)]}
    server.files["/api/models/me/repo"] = Served(json.dumps(listing).encode())
    return {"HF_ENDPOINT": server.url + "/"}


def test_file_is_found_without_asking() -> None:
    file = find("hf:me/repo:sub dir/m.gguf", {})
    assert file.url == "https://huggingface.co/me/repo/resolve/main/sub%20dir/m.gguf?download=true"
    assert (file.name, file.token) == ("m.gguf", None)


def test_only_model_of_a_repository_is_taken(server: FileServer) -> None:
    file = find("hf:me/repo", offer(server, "m-Q8_0.gguf") | {"HF_TOKEN": "hf_secret"})
    assert file.url == f"{server.url}/me/repo/resolve/main/m-Q8_0.gguf?download=true"
    assert server.seen[0][1]["authorization"] == "Bearer hf_secret"
    assert "hf_secret" not in repr(file)


def test_of_several_the_usual_quantization_is_taken(server: FileServer) -> None:
    assert (
        find("hf:me/repo", offer(server, "m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf")).name
        == "m-Q4_K_M.gguf"
    )


def test_several_without_it_are_listed(server: FileServer) -> None:
    with pytest.raises(UsageError, match=r"m-Q2_K\.gguf, m-Q8_0\.gguf") as raised:
        find("hf:me/repo", offer(server, "m-Q2_K.gguf", "m-Q8_0.gguf"))
    assert "hf:me/repo:m-Q2_K.gguf" in raised.value.hint


def test_none_and_pieces_are_said(server: FileServer) -> None:
    with pytest.raises(UsageError, match="no GGUF file"):
        find("hf:me/repo", offer(server))
    with pytest.raises(UsageError, match="in one piece"):
        find("hf:me/repo", offer(server, "m-00001-of-00002.gguf", "m-00002-of-00002.gguf"))


@pytest.mark.parametrize(
    "source", ["hf:", "hf:repo", "hf:a/b/c", "hf:../x", "hf:a/b:../../x.gguf", "hf:a/b:"]
)
def test_what_is_no_name_is_wrong_use(source: str) -> None:
    with pytest.raises(UsageError):
        find(source, {})


def test_unusable_surroundings_are_configuration_errors(server: FileServer) -> None:
    with pytest.raises(ConfigError, match="https only"):
        find("hf:a/b", {"HF_ENDPOINT": "http://mirror.example"})
    with pytest.raises(ConfigError, match="HF_TOKEN"):
        find("hf:a/b", {"HF_ENDPOINT": server.url, "HF_TOKEN": "a\nb"})


def test_unknown_repository_and_odd_answer(server: FileServer) -> None:
    with pytest.raises(RequestRefused, match="404"):
        find("hf:me/none", {"HF_ENDPOINT": server.url})
    server.files["/api/models/me/odd"] = Served(b"[]")
    with pytest.raises(BadMessage):
        find("hf:me/odd", {"HF_ENDPOINT": server.url})


def test_pull_goes_the_whole_way(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", offer(server, "deep/m.gguf")["HF_ENDPOINT"])
    server.files["/me/repo/resolve/main/deep/m.gguf"] = Served(status=302, to="/blob")
    server.files["/blob"] = Served(MODEL)
    path = pull("hf:me/repo", tmp_path, say=lambda _: None, progress=lambda *_: None)
    assert path == tmp_path / "m.gguf"
    assert path.read_bytes() == MODEL
