"""Which providers can be asked about an image, a recording or a PDF."""

from __future__ import annotations

from llmstream.config.settings import Settings


def takers(settings: Settings, kind: str) -> tuple[list[str], list[str]]:
    """Return the providers whose model takes a kind of attachment: those ready to be asked, and the others.

    A provider of the file with another model than the catalogue's default is taken at its row's word
    for images, and not named for the rest: nothing is known of it.

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
            # a server without a default model can be asked only when the file names one
            able = kind == "image" and row.images and bool(provider.text("model"))
        if not able:
            continue
        state = settings.key_state(name)
        mine = name in settings.file.providers and not state.wanted
        (ready if state.found or mine else others).append(name)
    return ready, others
