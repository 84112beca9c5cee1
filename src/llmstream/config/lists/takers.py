"""Find the providers that accept an image, an audio file or a PDF."""

from __future__ import annotations

from llmstream.config.settings import Settings


def takers(settings: Settings, kind: str) -> tuple[list[str], list[str]]:
    """Return the providers whose model accepts a kind of attachment: those that are ready, then the others.

    If the file sets another model than the catalogue's default, the catalogue's entry for the provider
    decides for images; other kinds are left out, because nothing is known about that model.

    Args:
        settings: the configuration.
        kind: ``image``, ``audio`` or ``pdf``.
    """
    ready: list[str] = []
    others: list[str] = []
    for name in settings.names():
        provider = settings.provider(name)
        row = provider.row
        if row is None or row.adapter != provider.adapter or kind not in row.takes:
            continue
        if provider.text("model") == row.model and row.model:
            able = kind in row.model_takes
        else:
            # a server without a default model can be used only if the file sets one
            able = kind == "image" and row.images and bool(provider.text("model"))
        if not able:
            continue
        state = settings.key_state(name)
        mine = name in settings.file.providers and not state.wanted
        (ready if state.found or mine else others).append(name)
    return ready, others
