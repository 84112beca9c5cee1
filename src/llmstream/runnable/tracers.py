"""The tracer of a plan's run; the command uses it without loading the rest of the library."""

from __future__ import annotations

from llmstream.runnable.calls import adapter_of
from llmstream.runnable.plan import Plan
from llmstream.tracing.chain import Seat
from llmstream.tracing.run_config import RunConfig
from llmstream.tracing.traced import identity
from llmstream.tracing.tracer import EventsVersion, Tracer, spoken


def tracer_of(
    plan: Plan | None, version: EventsVersion, config: RunConfig | None = None, seat: Seat | None = None
) -> Tracer:
    """Return the tracer of a plan's run.

    Args:
        plan: the run's plan, None if it could not be made.
        version: of the event format.
        config: the run's name, tags, metadata and id.
        seat: its place in a composition, None for an outermost run.
    """
    named = identity(config or {}, "LLM", seat)
    if plan is None:
        return Tracer(version, **named)
    target = plan.targets[0]
    text, messages = spoken(plan.prompt)
    return Tracer(
        version,
        prompt_text=text,
        messages=messages,
        provider=target.endpoint.provider,
        model=target.endpoint.model,
        model_type="llm" if getattr(adapter_of(target), "kind", "chat") == "llm" else "chat",
        options=plan.options.over(target.options),
        whole=not plan.stream,
        **named,
    )
