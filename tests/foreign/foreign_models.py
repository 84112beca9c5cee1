"""Makes models of the objects next door, for the library and for the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fakes.command import Run, in_process
from llmstream import LLM
from llmstream.engine.policy import Policy
from llmstream.prompt import Endpoint
from llmstream.runnable.targets import Target


def model(factory: str, policy: Policy | None = None, named: str = "", **arguments: Any) -> LLM:
    """Return a model that is an object.

    Args:
        factory: a name in `objects`, or MODULE:NAME.
        policy: limits; no retries unless said.
        named: the model as in PROVIDER/MODEL.
        arguments: what the object is made with.
    """
    path = factory if ":" in factory else f"foreign.objects:{factory}"
    endpoint = Endpoint("mine", named or path, "")
    return LLM(
        Target(
            "runnable", endpoint, policy=policy or Policy(max_retries=0), factory=path, arguments=arguments
        )
    )


def started(config: Path, *words: str, **variables: str) -> subprocess.Popen[bytes]:
    """Start the command in the configuration's folder.

    Args:
        config: its configuration file.
        words: its arguments.
        variables: of its environment, beside ours.
    """
    tests = Path(__file__).parent.parent
    return subprocess.Popen(
        [sys.executable, "-m", "llmstream", "--config", str(config), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=config.parent,
        env={**os.environ, "PYTHONPATH": str(tests), **variables},
    )


def ran(config: Path, *words: str) -> Run:
    """Run the command to its end, in this process."""
    return in_process(["--config", str(config), *words], b"", os.environ, config.parent)


def ran_apart(config: Path, *words: str) -> Run:
    """Run the command to its end in a process of its own, which has imported nothing yet."""
    with started(config, *words) as process:
        out, err = process.communicate(timeout=60)
    return Run(process.returncode, out.decode(), err.decode())
