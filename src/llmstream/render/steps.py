"""The steps of a chain or an agent as lines for people: tool calls and the time of each step.

tool search {"q": "six times seven"}
step retrieve 0.8 s
"""

from __future__ import annotations

import json
from typing import Final

from llmstream.events import Step
from llmstream.prompt import Json

SHOWN: Final = ("chain", "chat_model", "llm", "retriever")
"""Types of runs that are shown when they end; others, such as prompts and parsers, take hardly any time."""


class StepLines:
    """Formats the steps of one run as lines."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def line(self, step: Step, at: float) -> str:
        """Return the line for an event, "" if it isn't shown.

        Shown are the start of each tool, the end of each retriever and of each run directly below the
        outermost one (the links of a chain, the nodes of a graph), and all failures.

        Args:
            step: the event.
            at: when it was received, monotonic seconds.
        """
        event = step.event
        name, run, parents = event["name"], str(event["run_id"]), event["parent_ids"]
        kind, _, moment = str(event["event"]).removeprefix("on_").rpartition("_")
        if moment == "start":
            self._began[run] = at
            return f"tool {name} {_input(event['data'])}" if kind == "tool" else ""
        if moment not in ("end", "error"):
            return ""
        seconds = at - self._began.pop(run, at)
        if moment == "error":
            return f"{'tool' if kind == 'tool' else 'step'} {name} failed after {seconds:.1f} s"
        direct = isinstance(parents, list) and len(parents) == 1
        if kind not in SHOWN or not (direct or kind == "retriever"):
            return ""
        return f"step {name} {seconds:.1f} s"


def _input(data: Json) -> str:
    given = data.get("input", "") if isinstance(data, dict) else ""
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
