"""The data of `llmstream providers`: one line for each provider of the file and the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from llmstream.adapters.catalogue import NO_SAMPLING
from llmstream.config.settings import Settings
from llmstream.errors import ConfigError
from llmstream.prompt import Json


class Line(NamedTuple):
    """One provider.

    Args:
        provider: its name.
        adapter: its dialect.
        streams: whether it answers token by token; False for whole answers.
        reasoning: whether it shows the model's thinking.
        tools: whether its models call tools.
        images: whether it accepts images.
        usage: whether a stream reports token counts.
        key: where the key was found, ``missing``, ``missing ($VARIABLE)``, or empty when none is needed.
        base_url: the API's URL.
        model: its default model, empty when it has none.
        sampling: default options by model, used unless the user sets others.
        ready: whether it can be used now, as far as is known without a request.
    """

    provider: str
    adapter: str
    streams: bool
    reasoning: bool
    tools: bool
    images: bool
    usage: bool
    key: str
    base_url: str
    model: str
    ready: bool
    sampling: Mapping[str, Mapping[str, Json]]

    def to_dict(self) -> dict[str, Json]:
        """Return the line as a JSON object."""
        return {**self._asdict(), "sampling": {model: dict(one) for model, one in self.sampling.items()}}

    @property
    def can(self) -> str:
        """Its abilities beyond text, in words."""
        able = {
            "streams": self.streams,
            "reasoning": self.reasoning,
            "tools": self.tools,
            "images": self.images,
            "usage": self.usage,
        }
        return ", ".join(word for word, yes in able.items() if yes) or "-"


def providers(settings: Settings) -> list[Line]:
    """Return the user's own providers, then the catalogue's."""
    return [_line(settings, name) for name in settings.names()]


def _line(settings: Settings, name: str) -> Line:
    provider = settings.provider(name)
    row = provider.row
    try:
        base_url = provider.base_url()
    except ConfigError:
        base_url = row.base_url if row else ""
    return Line(
        provider=name,
        adapter=provider.adapter,
        streams=row.streams if row else True,
        reasoning=bool(row and row.reasoning),
        tools=bool(row and row.tools),
        images=bool(row and row.images),
        usage=bool(row and row.usage_in_stream),
        key=_key(settings, name) if provider.wants_key else "",
        base_url=base_url,
        model=provider.text("model"),
        ready=_ready(settings, name),
        sampling=row.sampling if row else NO_SAMPLING,
    )


def _ready(settings: Settings, name: str) -> bool:
    """Return whether a provider's key is set; without need of one, whether it is `local` or in the file."""
    state = settings.key_state(name)
    return state.found or (not state.wanted and (name in settings.file.providers or name == "local"))


def _key(settings: Settings, name: str) -> str:
    """Return the key's origin, without running a command or reading a file."""
    state = settings.key_state(name)
    if state.found:
        return state.origin
    return (
        f"missing ({state.origin})" if state.wanted and state.origin else ("missing" if state.wanted else "")
    )
