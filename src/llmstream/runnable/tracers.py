"""The tracer of a plan's run, for the command too, which needs nothing else of the library for it."""

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
    """Return the tracer of a plan's run; of one that could not be planned for None.

    Args:
        plan: what is asked of whom.
        version: of the events.
        config: how the run is called.
        seat: the run that this one is a step of, None for an outermost one.
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
