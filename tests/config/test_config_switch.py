"""Changing one setting of the configuration file: where it goes, and that nothing else changes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from llmstream.config.file.aliases import set_alias
from llmstream.config.file.switch import set_top, with_top
from llmstream.errors import ConfigError

OFF = "history = false"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"{OFF}\n"),
        ("# mine", f"# mine\n{OFF}\n"),
        ('default = "a"\n', f'default = "a"\n{OFF}\n'),
        ("history = true # kept\n", f"{OFF} # kept\n"),
        ("[aliases]\n", f"{OFF}\n\n[aliases]\n"),
        ("# on aliases\n[aliases]\n", f"{OFF}\n\n# on aliases\n[aliases]\n"),
        ("# mine\n\n\n# on\n# aliases\n[aliases]\n", f"# mine\n{OFF}\n\n# on\n# aliases\n[aliases]\n"),
        ('default = "a"\n\n[aliases]\n', f'default = "a"\n{OFF}\n\n[aliases]\n'),
        (
            'default = "a" # b\n# on aliases\n[aliases]\n',
            f'default = "a" # b\n{OFF}\n\n# on aliases\n[aliases]\n',
        ),
    ],
)
def test_a_setting_stays_apart_from_the_comment_of_the_first_table(before: str, after: str) -> None:
    made = with_top(before, "history", OFF)
    assert made == after
    assert tomllib.loads(made) == {**tomllib.loads(before), "history": False}
    assert with_top(made, "history", OFF) == made


@pytest.mark.parametrize("content", [b'default = "\xff"\n', b"default = \n", b"defualt = 1\n"])
def test_a_file_with_a_mistake_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        set_top(path, "history", False)
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        set_alias(path, "a", "b/c")
    assert path.read_bytes() == content
