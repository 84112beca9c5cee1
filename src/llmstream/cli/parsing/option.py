"""The type of an option, and names for the commands that take it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["text", "int", "float", "flag", "path"]
Value: TypeAlias = str | int | float | bool | list[str] | None
Values: TypeAlias = dict[str, Value]
Into: TypeAlias = Literal["options", "limits", "plan", "output", "surroundings", "command"]
"""Destination of a value: the model's options, its limits (the row's `limit` says which), the plan of
a run, its outputs, the Environment ("surroundings"), or the command itself."""


LARGEST: Final = 10**9
"""Bound of whole numbers; a larger one is a slip, and too large for a database or a loop."""

PROMPT: Final = "prompt"
ALL: Final = ("*",)
CHAT: Final = "chat"
SAVE: Final = "template save"
TALK: Final = (PROMPT, CHAT)
ASK: Final = (PROMPT, CHAT, SAVE)
BATCH: Final = "batch"


class Option(NamedTuple):
    """One option.

    Args:
        name: the long name without its leading dashes; with underscores, also the key in Values.
        kind: type of its value; a flag has none.
        help: one line.
        panel: its heading in help.
        short: its letter, empty for none.
        off: the long name that turns a flag off, empty for none.
        many: whether it may be repeated, which makes its values a list.
        choices: valid values, empty for any.
        metavar: its value's placeholder in help.
        into: destination of its value; a test checks that each row changes something there.
        limit: the name of the limit, for `into` "limits".
        commands: the commands that take it; ALL for every one.
        valued: for a flag that may have a value after ``=``, the option that takes the value.
    """

    name: str
    kind: Kind
    help: str
    panel: str
    into: Into
    short: str = ""
    off: str = ""
    many: bool = False
    choices: tuple[str, ...] = ()
    metavar: str = ""
    limit: str = ""
    commands: tuple[str, ...] = (PROMPT,)
    valued: str = ""

    def holds(self, number: int) -> bool:
        """Return whether a whole number is small enough; a seed has bounds of its own."""
        return self.name == "seed" or number < LARGEST

    @property
    def key(self) -> str:
        """Its key in Values."""
        return self.name.replace("-", "_")


MODEL, SHAPE, OUTPUT, LIMITS, OTHER = (
    "Model and prompt",
    "How the model answers",
    "Output",
    "Limits and failures",
    "Configuration and diagnosis",
)
