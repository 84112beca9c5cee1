"""The prompts of a job and their states: two 16-byte numbers per prompt, never a text."""

from __future__ import annotations

from typing import Final

from llmstream.jobs.inputs import Id
from llmstream.jobs.keys import ident

GIVEN: Final = 1 << 128
"""State of a prompt that is being asked, or has an outcome in this run; larger than any key."""
KEPT: Final = GIVEN + 1
"""State of a prompt whose old answer was copied into the new file."""


class Ledger:
    """Prompts by their ids.

    Args:
        repeatable: whether the input is read twice, so that all prompts are added before FILE is read.

    An entry is the prompt's key, or its complement (negative) if FILE has the answer, or GIVEN, or KEPT.
    For an input that can be read only once, the entries are at first the keys in FILE. `untidy` is true
    if FILE may have lines that must be removed at the end.
    """

    def __init__(self, *, repeatable: bool) -> None:
        self.repeatable = repeatable
        self.untidy = False
        self._of: dict[int, int] = {}

    def add(self, id_: Id, key: int) -> bool:
        """Add one prompt of the first reading; return False if its id occurs twice."""
        name = ident(id_)
        if name in self._of:
            return False
        self._of[name] = key
        return True

    def found(self, id_: Id, key: int, *, failed: bool) -> bool:
        """Add one line of FILE; return True if it answers a prompt known to be in the input."""
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
        """Decide what to do with the next prompt.

        Returns:
            True to ask it, False if FILE has its answer, None if its id occurs twice.
        """
        name = ident(id_)
        entry = self._of.get(name)
        if entry == GIVEN:
            return None
        if entry is not None:
            if entry == ~key:
                # for an input that is read once, the answer was that of an earlier line
                return False if self.repeatable else None
            if not self.repeatable and entry == key:
                self._of[name] = ~key
                return False
            self.untidy = self.untidy or not self.repeatable or entry < 0
        self._of[name] = GIVEN
        return True

    def wants(self, id_: Id, key: int) -> bool:
        """Return whether a prompt of a repeatable input has neither an answer nor an outcome in this run."""
        return self._of.get(ident(id_)) == key

    def give_back(self, id_: Id, key: int) -> None:
        """Mark a prompt that was taken but not asked as unanswered again."""
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
        # lines of prompts that this run did not reach stay, for a run that asks the same again
        return True

    def __len__(self) -> int:
        return len(self._of)
