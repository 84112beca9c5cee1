"""Run targets: the one place where engine, transport and adapters meet."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

from llmstream.adapters.base import Adapter
from llmstream.adapters.registry import adapter
from llmstream.engine.conversation import converse
from llmstream.engine.effects import Batch, Call, Prepare, Steps
from llmstream.errors import ConfigError, RequestRefused
from llmstream.prompt import Options, Prompt
from llmstream.record import replace
from llmstream.runnable.plan import Plan
from llmstream.runnable.runs import AsyncBatches, AsyncGiven, Batches, Given
from llmstream.runnable.targets import Target
from llmstream.transport.async_driver import AsyncRun
from llmstream.transport.drivers import AsyncTransport, Run, Transport
from llmstream.transport.http.common import Connection

LOCAL_DEFAULTS: Final = Options(max_tokens=512)
"""Limits the answers of a model in this process, which could otherwise continue until its context is full."""


def batches(plan: Plan, transport: Transport | None = None) -> Batches:
    """Run a plan on this thread and yield the events of each read.

    Args:
        plan: the plan.
        transport: carries out the run and is closed with it; None for the default.

    Raises:
        LLMStreamError: raised by the iteration, after the events received before the failure.
    """
    if plan.rivals:
        from llmstream.runnable.lanes import batches_of_first

        return Given(batches_of_first(plan, abatches))
    return Run(steps_of(plan), transport or transport_for(plan))


def abatches(plan: Plan, transport: AsyncTransport | None = None) -> AsyncBatches:
    """Run a plan on the event loop that iterates, and yield the events of each read."""
    if plan.rivals:
        from llmstream.runnable.lanes import abatches_of_first

        return AsyncGiven(abatches_of_first(plan, abatches))
    return AsyncRun(steps_of(plan), transport or async_transport_for(plan))


def begun(plan: Plan, take: Callable[[Batch], None]) -> AsyncBatches:
    """Like `abatches`, but send the first request before a loop exists, if all targets are reached over HTTP.

    Args:
        plan: the plan.
        take: called with the events that precede the request.

    Raises:
        LLMStreamError: the run failed before or while sending.
    """
    if plan.rivals or not all(map(by_http, plan.targets)):
        return abatches(plan)
    from llmstream.transport.http.async_ import AsyncHttpTransport

    transport = AsyncHttpTransport()
    run = AsyncRun(steps_of(plan), transport)
    try:
        run.begin(take, transport.begin)
    except BaseException:
        run.close()
        raise
    return run


def transport_for(plan: Plan) -> Transport:
    """Return the default transport for a plan on a thread."""
    from llmstream.transport.http.sync import HttpTransport

    if all(by_http(target) for target in plan.targets):
        return HttpTransport()
    from llmstream.transport.router import Router

    return Router(HttpTransport)


def async_transport_for(plan: Plan) -> AsyncTransport:
    """Return the default transport for a plan on an event loop."""
    from llmstream.transport.http.async_ import AsyncHttpTransport

    if all(by_http(target) for target in plan.targets):
        return AsyncHttpTransport()
    from llmstream.transport.router import AsyncRouter

    return AsyncRouter(AsyncHttpTransport)


def steps_of(plan: Plan) -> Steps:
    """Return the steps of a plan without rivals, for a driver; wrapped by the plan's `around`."""
    steps = _conversation(plan)
    return steps if plan.around is None else plan.around(steps)


def _conversation(plan: Plan) -> Steps:
    if any(target.file for target in plan.targets):
        from llmstream.runnable.replays import steps

        return steps(plan, partial(_prepare, plan))
    return converse([_prepare(plan, target) for target in plan.targets], time.monotonic, random.random)


def _prepare(plan: Plan, target: Target) -> Prepare:
    return Prepare(_maker(plan, target), slow=bool(target.local or target.unlock))


def _maker(plan: Plan, target: Target) -> Callable[[], Call]:
    def make() -> Call:
        if target.takes is not None:
            see_taken(plan.prompt, target)
        ready = started(plan, target) if target.local is not None else _unlocked(target)
        return Call(
            adapter=adapter_of(ready),
            endpoint=ready.endpoint,
            prompt=plan.prompt,
            options=options_of(plan, ready),
            policy=ready.policy,
            stream=plan.stream,
            route=_route(plan, ready),
        )

    return make


def options_of(plan: Plan, target: Target) -> Options:
    """Return a request's options: the call's override the target's, which override the catalogue's."""
    options = plan.options.over(target.options).over(target.defaults)
    return options.over(LOCAL_DEFAULTS) if target.local is not None else options


class NotTaken(RequestRefused):
    """A model doesn't accept an attachment; found before anything was sent."""

    kind = ""
    """``image``, ``audio``, ``pdf``, or another major type."""


KINDS: Final[Mapping[str, str]] = MappingProxyType({"image": "images", "audio": "audio", "pdf": "PDF files"})
"""Names of kinds of attachments in messages."""


def see_taken(prompt: Prompt, target: Target) -> None:
    """Check that a model accepts the attachments, before anything is sent or loaded.

    Raises:
        NotTaken: it doesn't.
    """
    for attachment in (a for message in prompt.messages for a in message.attachments):
        major, _, minor = attachment.media_type.partition("/")
        kind = minor if minor == "pdf" else major
        if kind not in (target.takes or ()):
            endpoint, shown = target.endpoint, attachment.name or "the attachment"
            error = NotTaken(
                f"{endpoint.provider}/{endpoint.model} can't read {KINDS.get(kind, attachment.media_type)}: "
                f"{shown} was not sent",
                hint="choose another model with -m; `llmstream providers` lists which take images",
                provider=endpoint.provider,
                phase="config",
            )
            error.kind = kind
            raise error


def by_http(target: Target) -> bool:
    """Return whether a target is reached over HTTP."""
    return not (target.command or target.factory or target.file)


def adapter_of(target: Target) -> Adapter:
    """Return the adapter of a target."""
    if target.command:
        from llmstream.adapters.command import Command

        return Command(PurePath(target.command[0]).name)
    if target.factory:
        from llmstream.adapters.foreign import Foreign

        return Foreign(target.factory)
    if target.file:
        from llmstream.runnable.replays import adapter_in

        return adapter_in(target.file)
    return adapter(target.adapter)


def _route(plan: Plan, target: Target) -> Hashable:
    if target.command:
        from llmstream.transport.process.route import ProcessRoute

        return ProcessRoute(target.command)
    if target.factory:
        from llmstream.foreign.objects import Watch
        from llmstream.foreign.transport import ForeignRoute

        steps = target.steps if plan.steps is None else plan.steps
        watch = Watch(plan.version if steps else "", plan.live)
        return ForeignRoute(target.factory, target.arguments, str(target.path or ""), watch)
    return Connection(target.proxy, target.ca_file, target.client_cert, target.aws_region, target.aws_profile)


def _unlocked(target: Target) -> Target:
    if target.unlock is None:
        return target
    return replace(target, endpoint=replace(target.endpoint, api_key=target.unlock()))


def started(plan: Plan, target: Target, lent: float | None = None) -> Target:
    """Start a local target's server and return the target with its URL.

    Args:
        plan: the plan, whose callbacks report a download.
        target: the local target.
        lent: None for a server in this process, else the seconds that a separate process runs it.

    Raises:
        MissingExtra, ConfigError, LocalModelError: the model can't be downloaded or started.
    """
    from llmstream.local import models

    assert target.local is not None
    model, say, progress = target.endpoint.model, plan.say, plan.progress
    if lent is None:
        base_url, key = models.started(model, target.local, say=say, progress=progress)
    else:
        base_url, key = models.lent(model, target.local, seconds=lent, say=say, progress=progress)
    if plan.ready is not None:
        plan.ready()
    if target.adapter == "anthropic":
        # OpenAI's dialects have the version in their base URL, Anthropic's doesn't
        base_url = base_url.removesuffix("/v1")
    endpoint = replace(target.endpoint, base_url=base_url, api_key=key)
    return replace(target, endpoint=endpoint)


def close_kept(target: Target) -> None:
    """Close the connections that are kept for further answers from a target's server."""
    pool = sys.modules.get("llmstream.transport.http.pool")
    if pool is None or not target.endpoint.base_url:
        return  # no connection was ever kept
    from llmstream.transport.http.address import address_of

    try:
        to = address_of(target.endpoint.base_url)
    except ConfigError:
        return
    pool.POOL.close(lambda key: (key.scheme, key.host, key.port) == (to.scheme, to.host, to.port))
