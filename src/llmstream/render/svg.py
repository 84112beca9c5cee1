"""The report of a measurement as an SVG image without scripts or external fonts."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Final

from rich.console import Console

from llmstream.measure.figures import Figures
from llmstream.render.table import measured

WIDTH: Final = 80
FORMAT: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, Menlo, Consolas, monospace; }}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""A template for rich, whose own loads a font from a server."""
NO_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that are not allowed in an XML document."""


def svg(figures: Sequence[Figures], title: str) -> str:
    """Return the report as an SVG document.

    Args:
        figures: the figures of each model.
        title: the image's title.
    """
    console = Console(
        file=io.StringIO(),
        width=WIDTH,
        record=True,
        color_system="truecolor",
        force_terminal=True,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    for part in measured(figures, WIDTH):
        console.print(part)
    return NO_XML.sub("\ufffd", console.export_svg(title=title, code_format=FORMAT, unique_id="bench"))
