"""Files beside a prompt: text in its encodings, what is binary, and what is fetched again."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmstream.errors import LLMStreamError, UsageError
from llmstream.runnable.files import attached_again, attachments, text_of, with_files

LATIN = "Füße, Äpfel und Öl: überall Größe. ".encode("latin-1") * 4
PNG = b"\x89PNG\r\n\x1a\n0000"


def test_text_in_another_encoding_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes(LATIN)
    with pytest.raises(UsageError, match="not UTF-8") as caught:
        with_files("", [file])
    assert f"iconv -f ISO-8859-1 -t UTF-8 {file}" in str(caught.value.hint)


def test_a_few_wrong_bytes_are_replaced_and_told() -> None:
    told: list[str] = []
    assert text_of(b"a long text of ASCII " * 60 + b"\xff", "it", told.append, strict=True).endswith("\ufffd")
    assert "1 byte is" in told[0]


@pytest.mark.parametrize("mark", ["utf-16", "utf-16-be"])
def test_utf_16_is_told_by_its_mark(mark: str) -> None:
    data = "Größe".encode(mark)
    data = data if mark == "utf-16" else b"\xfe\xff" + data
    assert text_of(data, "it", print) == "Größe"


@pytest.mark.parametrize(
    ("data", "hint"), [(PNG, "-a"), (b"text\0text", "-f takes text"), (b"\xff\0", "-f takes text")]
)
def test_what_is_binary_is_refused_with_where_it_belongs(data: bytes, hint: str) -> None:
    with pytest.raises(UsageError, match="binary") as caught:
        text_of(data, "photo", print)
    assert hint in str(caught.value.hint)


def test_an_attachment_is_found_again_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    [found] = attachments([file])
    assert found.place is not None and attached_again(found.place) == PNG
    file.unlink()
    with pytest.raises(UsageError, match="can't read"):
        attached_again(found.place)
    with pytest.raises(LLMStreamError):
        attached_again("http://127.0.0.1:1/a.png")
