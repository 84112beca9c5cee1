"""`llmstream chat`: a conversation with a model, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmstream.cli.environment import Environment
    from llmstream.cli.parsing.table import Values


def run(values: Values, words: Sequence[str], environment: Environment) -> int:
    """Run a chat until the user leaves, and return the exit status."""
    from llmstream.cli.chat.loop import converse

    return converse(values, environment)
