"""Colour code line by line, keeping the lexer's state from one line to the next.

Pygments itself reads only complete texts, by walking a language's table of states; here, the same walk
keeps its stack of states between lines.  For a language without such a table, each line is coloured
separately.  If the lexer fails, the rest of the block is shown without colours.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pygments.lexer import Lexer, RegexLexer  # type: ignore[import-untyped]
    from pygments.token import _TokenType  # type: ignore[import-untyped]

    Token = tuple[_TokenType, str]

LONGEST: Final = 1000
"""Maximum number of characters of a line that is coloured."""
DEEPEST: Final = 200
"""Maximum number of states on the stack; a deeper stack is reset."""
STEPS: Final = 50
"""Maximum number of matching rules per character: some match no text and only change the state."""
PALETTE: Final = {
    "Keyword": "34",
    "Keyword.Constant": "36",
    "Keyword.Type": "36",
    "Name.Function": "32",
    "Name.Class": "1;32",
    "Name.Tag": "34",
    "Name.Attribute": "36",
    "Name.Decorator": "35",
    "Name.Builtin": "36",
    "Name.Exception": "36",
    "Name.Variable": "33",
    "Literal.String": "33",
    "Literal.String.Doc": "2;33",
    "Literal.Number": "35",
    "Operator.Word": "34",
    "Comment": "2;3",
    "Comment.Preproc": "35",
    "Generic.Deleted": "31",
    "Generic.Inserted": "32",
    "Generic.Heading": "1",
    "Generic.Subheading": "35",
    "Generic.Prompt": "2",
}
"""SGR codes by token name, from the terminal's own palette: they suit any background."""


@functools.lru_cache(maxsize=64)
def lexer_of(language: str) -> Lexer | None:
    """Return Pygments' lexer for a language, None if it has none.

    Args:
        language: the name after a code fence, in upper or lower case.
    """
    from pygments.lexers._mapping import LEXERS  # type: ignore[import-untyped]

    wanted = language.lower()
    for name, (module, _, aliases, _, _) in LEXERS.items():
        if wanted in aliases:
            made: Lexer = getattr(import_module(module), name)()
            return made
    return None


def highlighter(language: str, colours: int, theme: str) -> Highlighter | None:
    """Return a highlighter for one block, None without colours or for an unknown language.

    Args:
        language: the name after a code fence; any text.
        colours: number of the terminal's colours: 0, 16 or 256.
        theme: name of a Pygments style, used with 256 colours; empty for the terminal's palette.
    """
    if not colours or not language or len(language) > 40:
        return None
    lexer = lexer_of(language)
    return Highlighter(lexer, codes_of(theme) if colours > 16 else {}) if lexer else None


@functools.lru_cache(maxsize=4)
def codes_of(theme: str) -> dict[str, str]:
    """Return a Pygments style as SGR codes by token name; empty for an unknown style."""
    from pygments.styles import get_style_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    if not theme:
        return {}
    try:
        style = get_style_by_name(theme)
    except ClassNotFound:
        return {}
    made = {}
    for token, look in style:
        codes = [code for key, code in (("bold", "1"), ("italic", "3"), ("underline", "4")) if look[key]]
        if look["color"]:
            codes.append(f"38;5;{nearest(look['color'])}")
        made[".".join(token)] = ";".join(codes)
    return made


def nearest(colour: str) -> int:
    """Return the number, in the 256-colour palette, of the colour nearest to `rrggbb` (hexadecimal)."""
    rgb = [int(colour[at : at + 2], 16) for at in (0, 2, 4)]
    steps = (0, 95, 135, 175, 215, 255)
    cube = [min(range(6), key=lambda step: abs(steps[step] - part)) for part in rgb]
    grey = max(0, min(23, (sum(rgb) // 3 - 3) // 10))
    far = sum((steps[step] - part) ** 2 for step, part in zip(cube, rgb, strict=True))
    far_grey = sum((8 + 10 * grey - part) ** 2 for part in rgb)
    return 232 + grey if far_grey < far else 16 + 36 * cube[0] + 6 * cube[1] + cube[2]


class Highlighter:
    """Colours the lines of one block.

    Args:
        lexer: reads its language.
        codes: SGR codes by token name; empty for the terminal's palette.
    """

    def __init__(self, lexer: Lexer, codes: dict[str, str]) -> None:
        from pygments.lexer import ExtendedRegexLexer, RegexLexer

        self._lexer = lexer
        self._codes = codes
        self._palette = codes or PALETTE
        self._walks = isinstance(lexer, RegexLexer)
        self._extended = isinstance(lexer, ExtendedRegexLexer)
        self._stack = ["root"]
        self._found: dict[_TokenType, str] = {}
        self._broken = False

    def line(self, line: str) -> str:
        """Return the next line (without newline) in colours, or unchanged if it can't be coloured."""
        if self._broken or len(line) > LONGEST:
            return line
        try:
            tokens = list(self._tokens(line + "\n"))
        except Exception:  # noqa: BLE001 - a third-party lexer may raise anything; show the line without colours
            self._broken = True
            return line
        if "".join([text for _, text in tokens]) != line + "\n":
            return line
        return self._coloured(tokens)

    def _coloured(self, tokens: Iterable[Token]) -> str:
        parts: list[str] = []
        pen = ""
        for kind, text in tokens:
            text = text.rstrip("\n")
            if not text:
                continue
            code = self._code(kind) if not text.isspace() else pen
            if code != pen:
                parts.append(f"\x1b[{'0;' if pen and code else ''}{code or '0'}m")
                pen = code
            parts.append(text)
        if pen:
            parts.append("\x1b[0m")
        return "".join(parts)

    def _code(self, kind: _TokenType) -> str:
        code = self._found.get(kind)
        if code is None:
            names = list(kind)
            while names and ".".join(names) not in self._palette:
                names.pop()
            code = self._found[kind] = self._palette.get(".".join(names), "")
        return code

    def _tokens(self, line: str) -> Iterator[Token]:
        if not self._walks:
            for _, kind, text in self._lexer.get_tokens_unprocessed(line):
                yield kind, text
            return
        yield from walk(self._lexer, line, self._stack, extended=self._extended)
        if len(self._stack) > DEEPEST:
            self._stack[:] = ["root"]


def walk(lexer: RegexLexer, text: str, stack: list[str], *, extended: bool) -> Iterator[Token]:
    """Yield the tokens of a text by walking a lexer's table of states.

    Args:
        lexer: the lexer with the table.
        text: one line with its newline.
        stack: the open states; changed to those at the end of the text.
        extended: whether the lexer's actions take a context and change it.

    Raises:
        RecursionError: the lexer matches more than STEPS rules per character.
    """
    from pygments.lexer import LexerContext
    from pygments.token import Error, Text, _TokenType

    table = lexer._tokens
    context = LexerContext(text, 0, stack)
    at = steps = 0
    while at < len(text):
        steps += 1
        if steps > STEPS * len(text):
            raise RecursionError("the lexer makes no progress")
        for match_at, action, state in table[stack[-1]]:
            match = match_at(text, at)
            if not match:
                continue
            context.pos = match.end()
            if type(action) is _TokenType:
                yield action, match[0]
            elif action is not None:
                made = action(lexer, match, context) if extended else action(lexer, match)
                for _, kind, value in made:
                    yield kind, value
            if context.stack is not stack:
                stack[:] = context.stack
                context.stack = stack
            at = context.pos if extended else match.end()
            if state is not None:
                follow(stack, state)
            break
        else:
            if text[at] == "\n":
                stack[:] = ["root"]
                yield Text, "\n"
            else:
                yield Error, text[at]
            at += 1


def follow(stack: list[str], state: object) -> None:
    """Apply a rule's state to the stack: states to push, a negative number to pop, "#push" or "#pop"."""
    if isinstance(state, tuple):
        for one in state:
            follow(stack, one)
    elif isinstance(state, int):
        del stack[max(1, len(stack) + state) :]
    elif state == "#pop":
        if len(stack) > 1:
            stack.pop()
    elif state == "#push":
        stack.append(stack[-1])
    else:
        stack.append(str(state))
