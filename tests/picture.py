"""Makes the README's picture: the real command against the local model, drawn by rich as SVG.

python tests/picture.py
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

QUESTION = "Write me a 1 verse song about sparkling water."


def main() -> None:
    """Run the command and write picture.svg beside this file."""
    command = [sys.executable, "-m", "llmstream", "-o", "seed=7", "--max-tokens", "90", "--stats", QUESTION]
    run = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    console = Console(record=True, width=90, file=io.StringIO())
    console.print(Text(f'$ llmstream --stats "{QUESTION}"', style="bold"))
    console.print(Text(run.stdout.rstrip()))
    console.print(Text(run.stderr.rstrip(), style="dim"))
    console.save_svg(str(Path(__file__).with_name("picture.svg")), title="llmstream")


if __name__ == "__main__":
    main()
