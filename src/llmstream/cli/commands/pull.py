"""`llmstream pull`: fetch a model ahead of its first use."""

from __future__ import annotations

from typing import Annotated

import typer

from llmstream.cli.command import command
from llmstream.cli.environment import Environment

SourceArgument = Annotated[
    str, typer.Argument(help="smollm2, hf:OWNER/REPO[:FILE], an https address, or the path of a GGUF file")
]


@command
def pull(environment: Environment, source: SourceArgument) -> str:
    """Fetch a model to run in this process."""
    from llmstream.cli.running.fetching import Fetching
    from llmstream.config.paths import models_folder
    from llmstream.local.models import pull as fetch

    with Fetching(environment) as fetching:
        path = fetch(source, models_folder(), say=fetching.say, progress=fetching.progress)
    return f"{path}\n"
