"""`--show-request`: the request as a curl command, its key as the variable that holds it."""

from __future__ import annotations

import shlex

from llmstream.cli.environment import Environment
from llmstream.cli.exits import Exit
from llmstream.errors import UsageError
from llmstream.prompt import Secret, tells_a_secret
from llmstream.record import replace
from llmstream.render.base import encode
from llmstream.render.guard import guarded
from llmstream.render.notes import note_line
from llmstream.runnable.calls import adapter_of, options_of, see_taken
from llmstream.runnable.plan import Plan
from llmstream.runnable.targets import Target


def show_request(plan: Plan, environment: Environment) -> int:
    """Print the request of a plan and return the exit status."""
    target = plan.targets[0]
    key = target.endpoint.api_key
    # a stand-in takes the key's place before anything is built from it
    endpoint = replace(target.endpoint, api_key=Secret(STAND_IN) if key else None)
    if target.local is not None:
        endpoint = replace(endpoint, base_url="http://127.0.0.1:PORT/v1")
    if target.takes is not None:
        see_taken(plan.prompt, target)
    options = options_of(plan, target)
    request = adapter_of(target).request(plan.prompt, options, endpoint, stream=plan.stream)
    for notice in request.notices:
        width = environment.width_of(environment.err)
        environment.err.write(note_line(notice, color=environment.colored, width=width))
    if target.command or target.factory:
        text = _command(target, request.body)
        environment.out.write(encode(guarded(text) if environment.out.isatty else text))
        return Exit.OK
    variable = key.origin if key and key.origin.startswith("$") else "$API_KEY"
    lines = [f"curl -N {shlex.quote(request.url)}"]
    lines += [_header(name, value, variable) for name, value in request.headers.items()]
    lines.append(f"  --data-binary {shlex.quote(request.body.decode('utf-8', 'replace'))}")
    text = " \\\n".join(lines) + "\n"
    environment.out.write(encode(guarded(text) if environment.out.isatty else text))
    return Exit.OK


def _command(target: Target, prompt: bytes) -> str:
    """Return a child process as a shell would start it, its prompt on standard input or in its place."""
    if target.factory:
        raise UsageError(f"{target.factory} is a Python object and makes no HTTP request")
    from llmstream.transport.process.common import arguments

    argv, given = arguments(target.command, prompt)
    piped = "" if given is None else f"printf %s {shlex.quote(given.decode('utf-8', 'replace'))} | "
    return f"{piped}{shlex.join(argv)}\n"


STAND_IN = "llmstream-key-stand-in"


def _header(name: str, value: str, variable: str) -> str:
    if STAND_IN in value:
        # double quotes, so that the shell fills the variable in
        return f'  -H "{name}: {value.replace(STAND_IN, variable)}"'
    if tells_a_secret(name):
        # a header of the configuration's own
        return f'  -H "{name}: ${name.upper().replace("-", "_")}"'
    return f"  -H {shlex.quote(f'{name}: {value}')}"
