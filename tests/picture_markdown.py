"""Makes the README's picture of a Markdown answer: the real command on a terminal of 80 columns, drawn by rich as SVG.

python tests/picture_markdown.py
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
import termios
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 80
QUESTION = "How does a hash map find a value?"
ANSWER = """\
# Hash maps

A **hash map** turns a key into a number, the *hash*, and uses it as an index
into an array of `buckets`:

```python
def get(self, key):
    bucket = self.buckets[hash(key) % len(self.buckets)]
    return next(v for k, v in bucket if k == key)
```

- **Average**: constant time, as long as buckets stay short.
- **Worst case**: every key lands in *one* bucket.
  1. grow the table when it is three quarters full
  2. mix the bits of a weak hash

| operation | average | worst |
|-----------|:-------:|------:|
| get, put  | O(1)    | O(n)  |
| iterate   | O(n)    | O(n)  |

> See [open addressing](https://en.wikipedia.org/wiki/Open_addressing), too.
"""


def shown(folder: Path) -> str:
    """Run the command with a program for a model, and return what its terminal gets."""
    answer = folder / "answer.md"
    answer.write_text(ANSWER, "utf-8")
    config = folder / "config.toml"
    config.write_text(
        f'[providers.demo]\nadapter = "exec"\ncommand = ["cat", "{answer}"]\nmodel = "demo"\n', "utf-8"
    )
    config.chmod(0o600)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, COLUMNS))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORFGBG": "15;0", "LLMSTREAM_NO_HISTORY": "1"}
    command = [sys.executable, "-m", "llmstream", "--config", str(config), "-m", "demo", QUESTION]
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, env=environment)
    os.close(theirs)
    got = b""
    # Linux answers EIO when the other side is closed and all is read
    with suppress(OSError):
        while part := os.read(ours, 65536):
            got += part
    os.close(ours)
    if run.wait():
        sys.exit(run.returncode)
    return got.decode().replace("\r\n", "\n")


def main() -> None:
    """Run the command and write markdown.svg beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        made = shown(Path(folder))
    # a row that was drawn anew stands as it was drawn last
    rows = [re.sub("^\x1b\\[K", "", line.rpartition("\r")[2]) for line in made.rstrip("\n").split("\n")]
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text(f'$ llmstream "{QUESTION}"', style="bold"))
    console.print(Text.from_ansi("\n".join(rows)))
    console.save_svg(str(Path(__file__).with_name("markdown.svg")), title="llmstream")


if __name__ == "__main__":
    main()
