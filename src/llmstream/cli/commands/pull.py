"""`llmstream pull`: download a model before its first use."""

from __future__ import annotations

from llmstream.cli.command import texts
from llmstream.cli.environment import Environment


@texts
def pull(environment: Environment, source: str) -> str:
    """Download a model to run in this process."""
    from llmstream.cli.running.fetching import Fetching
    from llmstream.config.paths import models_folder
    from llmstream.local.models import pull as fetch

    with Fetching(environment) as fetching:
        path = fetch(source, models_folder(), say=fetching.say, progress=fetching.progress)
    return f"{path}\n"
