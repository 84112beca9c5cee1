"""What one option is, and the names by which rows of the table say who takes it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["text", "int", "float", "flag", "path"]
Value: TypeAlias = str | int | float | bool | list[str] | None
Values: TypeAlias = dict[str, Value]
Into: TypeAlias = Literal["options", "limits", "plan", "output", "surroundings", "command"]
"""Where a value goes: the model's options, its limits (``limits.NAME`` by the row's `limit`), the plan of a
run, its outputs, the Environment, or the command itself."""


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
        name: the long one without dashes, which is also its key in Values, dashes as underscores.
        kind: of its value; a flag takes none.
        help: one line.
        panel: the heading under which help shows it.
        short: letter, empty for none.
        off: the long name that switches a flag off, empty for none.
        many: it may be given again, its values become a list.
        choices: the values it takes, empty for any.
        metavar: what help calls its value.
        into: where its value goes; a test holds that each row changes something there.
        limit: of a row into "limits": which one.
        commands: that take it; ALL for every one.
        valued: of a flag that may have a value behind ``=``: the row that takes it.
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
