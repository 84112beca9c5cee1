"""Generate prompts of a given length from a fixed vocabulary; the same seed gives the same prompts.

Each word, with the space before it, is one token in most models' vocabularies, so that a prompt of N
words has about N tokens. Each request gets a different prompt, because a server may cache repeated ones.
"""

from __future__ import annotations

from random import Random
from typing import Final

DEFAULT: Final = "Write a short story about a lighthouse keeper who finds a letter in a bottle."
"""The prompt if none is given."""
_COMMON = """
    time year people way day man thing woman life child world school state family student group country
    problem hand part place case week company system program question work government number night point
    home water room mother area money story fact month lot right study book eye job word business issue
    side kind head house service friend father power hour game line end member law car city community name
    president team minute idea body information back parent face others level office door health person
    art war history party result change morning reason research girl guy moment air teacher force education
    about after again all also always another any around ask because become before begin big both bring
    build call can come could different each early even every far feel few find first follow from get give
    good great help here high however important into just keep know large last leave let like little live
    long look make many may mean more most move much must need never new next now off often old only open
    other out over own play possible public put really run same say see seem set several should show since
    small some still such take tell than that their then there these they think this those three through
    together too try turn two under until use very want well what when where which while white who why
    will with without would write young
"""
WORDS: Final = tuple(_COMMON.split())
"""Common English words."""


def made_up(tokens: int, seed: int, number: int) -> str:
    """Return a text of about `tokens` tokens.

    Args:
        tokens: number of words, at least 1.
        seed: the run's seed.
        number: the request's number; each request has its own text.
    """
    draw = Random(f"{seed}/{number}")  # noqa: S311  # repeatable, no secret
    return " ".join(draw.choices(WORDS, k=tokens))
