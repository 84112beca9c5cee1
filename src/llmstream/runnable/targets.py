"""What a model's name stands for: adapter, endpoint, options and limits of one provider.

The library asks for a Target by name; which names there are is for the configuration to say, a
floor above, so it hands its resolver in here.  Without one the built-in catalogue alone is known.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from llmstream.engine.policy import Policy
from llmstream.prompt import Endpoint, Options
from llmstream.record import Record


class LocalSettings(Record):
    """How the model in this process is run.

    Args:
        folder: where model files are kept.
        context: size of the context in tokens, 0 for the model's own.
        threads: 0 for as many as there are cores.
    """

    folder: Path
    context: int = 0
    threads: int = 0


class Target(Record):
    """One provider's model, ready to be called.

    Args:
        adapter: name of the dialect, as the registry has it.
        endpoint: where and what to ask; for `local` its base_url is empty until it has started.
        options: the configured ones, under those of the call.
        policy: limits.
        local: set when the model runs in this process.
        proxy: URL of a proxy for this provider, None for the environment's.
        ca_file: certificates to trust beside the system's.
    """

    adapter: str
    endpoint: Endpoint
    options: Options = Options()
    policy: Policy = Policy()
    local: LocalSettings | None = None
    proxy: str | None = None
    ca_file: Path | None = None


Resolver: TypeAlias = Callable[[str], Target]
