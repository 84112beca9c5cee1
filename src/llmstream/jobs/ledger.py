"""Which prompts a job has and what became of each: two numbers of 16 bytes a prompt, never a text."""

from __future__ import annotations

from typing import Final

from llmstream.jobs.inputs import Id
from llmstream.jobs.keys import ident

GIVEN: Final = 1 << 128
"""It is being asked, or its answer has been written in this run; larger than any key."""
KEPT: Final = GIVEN + 1
"""Its old answer has been copied into the new file."""


class Ledger:
    """Prompts by their ids.

    Args:
        repeatable: the input is read twice: `add` knows all prompts before FILE is looked at.

    An entry is the prompt's key, or its complement (negative) when FILE has the answer, or GIVEN.
    Of an input that can be read only once the entries are, to begin with, the keys that FILE has.
    `untidy` is true when FILE may have lines that must go at the end.
    """

    def __init__(self, *, repeatable: bool) -> None:
        self.repeatable = repeatable
        self.untidy = False
        self._of: dict[int, int] = {}

    def add(self, id_: Id, key: int) -> bool:
        """Take one prompt of the first reading; False when its id occurs twice."""
        name = ident(id_)
        if name in self._of:
            return False
        self._of[name] = key
        return True

    def found(self, id_: Id, key: int, *, failed: bool) -> bool:
        """Take one line of FILE; True when it answers a prompt that is known to be in the input."""
        name = ident(id_)
        entry = self._of.get(name)
        if not self.repeatable:
            self.untidy = self.untidy or failed or entry is not None
            if not failed:
                self._of[name] = key
            return False
        if entry is None:
            return False
        if failed or entry != key:
            self.untidy = True
            return False
        self._of[name] = ~key
        return True

    def take(self, id_: Id, key: int) -> bool | None:
        """Decide about a prompt whose turn it is.

        Returns:
            True to ask it, False when FILE has its answer, None when its id occurs twice.
        """
        name = ident(id_)
        entry = self._of.get(name)
        if entry == GIVEN:
            return None
        if entry is not None:
            if entry == ~key:
                # of an input that is read once, this entry is of a line before
                return False if self.repeatable else None
            if not self.repeatable and entry == key:
                self._of[name] = ~key
                return False
            self.untidy = self.untidy or not self.repeatable or entry < 0
        self._of[name] = GIVEN
        return True

    def wants(self, id_: Id, key: int) -> bool:
        """Return whether a prompt of a repeatable input has neither an answer nor an outcome of this run."""
        return self._of.get(ident(id_)) == key

    def give_back(self, id_: Id, key: int) -> None:
        """Take back a prompt that was not asked after all."""
        self._of[ident(id_)] = key

    def keeps(self, id_: Id, key: int, *, failed: bool) -> bool:
        """Return whether a line that FILE had before this run stays in it."""
        name = ident(id_)
        entry = self._of.get(name)
        if entry in (GIVEN, KEPT):
            return False
        if entry is not None and entry < 0:
            if failed or entry != ~key:
                return False
            self._of[name] = KEPT
        # what was not come to stays, for a run that asks again as before
        return True

    def __len__(self) -> int:
        return len(self._of)
