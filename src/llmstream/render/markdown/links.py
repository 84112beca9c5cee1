"""Link targets: reading them, and making them safe for a terminal."""

from __future__ import annotations

import re
import urllib.parse
from typing import Final, NamedTuple

from llmstream.render.guard import guarded

SAFE: Final = re.compile(r"(?i)https?://[^/]|mailto:[^/]")
LONGEST: Final = 2000
"""Maximum number of characters of a URL; a longer one is not a link."""
NESTED: Final = 32
"""Maximum number of nested parentheses in a URL."""
TITLE: Final = re.compile(
    r"""[ \n]+(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\))""", re.DOTALL
)
TITLE_BEGUN: Final = re.compile(
    r"""[ \n]+(?:"(?:[^"\\]|\\.)*\\?|'(?:[^'\\]|\\.)*\\?|\((?:[^()\\]|\\.)*\\?)?""", re.DOTALL
)
ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
ENTITY_BEGUN: Final = re.compile(r"&(?:#(?:[0-9]{0,7}|[xX][0-9a-fA-F]{0,6})|[A-Za-z][A-Za-z0-9]{0,31})?")
ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
AUTOLINK: Final = re.compile(
    r"<(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+)>"
)
TAG: Final = re.compile(
    r"""</?[A-Za-z][A-Za-z0-9-]*(?:[ ]+[A-Za-z_:][\w:.-]*=(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))*[ ]*/?>"""
    r"""|<!--[^\s]*?-->"""
)
TAG_BEGUN: Final = re.compile(
    r"""<(?:/?(?:[A-Za-z][A-Za-z0-9-]*(?:[ ]+[A-Za-z_:][\w:.-]*=(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))*"""
    r"""(?:[ ]*/?|[ ]+[A-Za-z_:][\w:.-]*(?:=(?:"[^"]*|'[^']*|[^\s"'=<>`]*)?)?))?|!(?:-(?:-[^\s]*)?)?)"""
)
AUTOLINK_BEGUN: Final = re.compile(
    r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~:@-]*|<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*"
)
NAMED: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:")
HOSTILE: Final = re.compile("[\u2400-\u2421\ufffd]|<U\\+[0-9A-F]{4,6}>")
"""The guard's replacements of control characters."""
PUNCTUATION: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


class Target(NamedTuple):
    """A link's URL, and the index at which its source ends."""

    address: str
    end: int


def target(text: str, at: int) -> Target | bool | None:
    """Read a link's `(url "title")`.

    Args:
        text: the source.
        at: index of the opening parenthesis.

    Returns:
        The target; None if it is not one; True if more text is needed.
    """
    found = _address(text, at + 1)
    if not isinstance(found, tuple):
        return found
    address, end = found
    title = TITLE.match(text, end)
    if title is None:
        begun = TITLE_BEGUN.match(text, end)
        if begun and begun.end() == len(text):
            return True if len(text) - at < LONGEST else None
    else:
        end = title.end()
    while end < len(text) and text[end] in " \n":
        end += 1
    if end == len(text):
        return True
    if text[end] != ")":
        return None
    return Target(decoded(address), end + 1)


def _address(text: str, at: int) -> tuple[str, int] | bool | None:
    while at < len(text) and text[at] in " \n":
        at += 1
    if at == len(text):
        return True
    if text[at] == "<":
        end = text.find(">", at)
        inside = text[at + 1 : end if end >= 0 else len(text)]
        if "\n" in inside or "<" in inside:
            return None
        if end < 0:
            return True if len(text) - at < LONGEST else None
        return inside, end + 1
    return _bare(text, at)


BARE: Final = re.compile(r"(?:[^\x00-\x20()\\\x7f]|\\.)*", re.DOTALL)


def _bare(text: str, at: int) -> tuple[str, int] | bool | None:
    """Read a URL without angle brackets and with balanced parentheses; return it and its end."""
    end, depth = at, 0
    while True:
        match = BARE.match(text, end)
        assert match
        end = match.end()
        if end == len(text) or text[end] == "\\":
            return True if end - at < LONGEST else None
        if text[end] == "(":
            depth += 1
            if depth > NESTED:
                return None
        elif text[end] == ")" and depth:
            depth -= 1
        else:
            # a blank ends the URL, so open parentheses are not balanced
            return None if depth else (text[at:end], end)
        end += 1


def character_of(entity: str) -> str:
    """Return the character of an HTML entity, made safe to show; an unknown entity is returned unchanged."""
    from html.entities import html5

    if entity[1] == "#":
        code = int(entity[3:-1], 16) if entity[2] in "xX" else int(entity[2:-1])
        shown = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code <= 0xDFFF else "\ufffd"
    else:
        shown = html5.get(entity[1:], entity)
    return guarded(shown.replace("\n", " ").replace("\t", " ")) or "\ufffd"


def decoded(text: str) -> str:
    """Return a URL with its escapes and entities decoded; it stays safe to show."""
    if "\\" in text:
        text = ESCAPED.sub(r"\1", text)
    if "&" in text:
        text = ENTITY.sub(lambda found: character_of(found[0]), text)
    return text


def linked(address: str) -> str:
    """Return a URL encoded for an OSC 8 link, "" if it isn't safe to link."""
    if not SAFE.match(address) or len(address) > LONGEST or HOSTILE.search(address):
        return ""
    return urllib.parse.quote(address, safe="%/:?#[]@!$&'()*+,;=~-._|{}^`<>\"\\")


def says(text: str, address: str) -> bool:
    """Return whether a link's text already shows its URL."""
    plain = address.removeprefix("mailto:")
    if text in (address, plain) or address == text + "/":
        return True
    return "%" in address and text == urllib.parse.unquote(address)
