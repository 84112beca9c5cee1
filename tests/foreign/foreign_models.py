"""Makes models of the objects next door."""

from __future__ import annotations

from typing import Any

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
