"""`--show-request`: print the request as a curl command, with a variable in place of the key.

The embedded model is started for it, so that the command works unchanged.  On a terminal, its server
runs until Enter or Ctrl-C; elsewhere, the reader of the command needs this process to end first, so
a separate process keeps the server running for `LENT` seconds.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import threading
from typing import TYPE_CHECKING, Final

from llmstream.cli.environment import Environment
from llmstream.cli.exits import Exit
from llmstream.cli.signals import Interrupted
from llmstream.errors import UsageError
from llmstream.prompt import Secret, tells_a_secret
from llmstream.record import replace
from llmstream.render.base import encode
from llmstream.render.guard import guarded
from llmstream.render.notes import note_line
from llmstream.runnable.calls import adapter_of, options_of, see_taken, started
from llmstream.runnable.plan import Plan
from llmstream.runnable.targets import Target

if TYPE_CHECKING:
    from llmstream.prompt import Endpoint

STAND_IN: Final = "llmstream-key-stand-in"
LENT: Final = 120
"""Seconds that the embedded model's server runs after the command was written to a file or pipe."""
LOCAL_KEY: Final = "LLMSTREAM_LOCAL_KEY"


def show_request(plan: Plan, environment: Environment) -> int:
    """Print a plan's request and return the exit status.

    Raises:
        UsageError: the target is a Python object, which sends no HTTP request.
        LLMStreamError: the local model can't be started, or the model doesn't accept an attachment.
    """
    target = plan.targets[0]
    if target.takes is not None:
        see_taken(plan.prompt, target)
    here = environment.out.isatty
    if target.local is not None:
        # before printing, because URL and key are those of the server
        target = started(plan, target, lent=None if here else LENT)
    text, notices = _shown(plan, target, environment)
    for notice in notices:
        environment.say(notice)
    environment.out.write(encode(guarded(text) if here else text))
    if target.local is not None:
        _keep_up(environment)
    return Exit.OK


def _shown(plan: Plan, target: Target, environment: Environment) -> tuple[str, list[str]]:
    """Return the command, and notes for the user."""
    key = target.endpoint.api_key
    # replace the key by a placeholder before anything is built from it
    endpoint: Endpoint = replace(target.endpoint, api_key=Secret(STAND_IN) if key else None)
    request = adapter_of(target).request(plan.prompt, options_of(plan, target), endpoint, stream=plan.stream)
    notices = list(request.notices)
    if target.command or target.factory:
        return _command(target, request.body), notices
    variable = key.origin if key and key.origin.startswith("$") else "$API_KEY"
    before = ""
    if target.local is not None and key:
        # this key is valid only for this server
        variable, before = f"${LOCAL_KEY}", f"{LOCAL_KEY}={key.reveal()}\n"
    lines = [f"curl -N {shlex.quote(request.url)}"]
    if target.aws_region:
        lines += _signed(target.aws_region, environment)
        notices += _about_signing(target.aws_profile, request.url, environment)
    lines += [_header(name, value, variable) for name, value in request.headers.items()]
    lines.append(f"  --data-binary {shlex.quote(request.body.decode('utf-8', 'replace'))}")
    return before + " \\\n".join(lines) + "\n", notices


def _signed(region: str, environment: Environment) -> list[str]:
    """Return curl's options for signing a request with AWS credentials."""
    lines = [
        f"  --aws-sigv4 {shlex.quote(f'aws:amz:{region}:bedrock')}",
        '  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
    ]
    # temporary credentials also have a token; without one, the header must not be sent
    if environment.variables.get("AWS_SESSION_TOKEN") or not environment.variables.get("AWS_ACCESS_KEY_ID"):
        lines.append('  -H "x-amz-security-token: $AWS_SESSION_TOKEN"')
    return lines


def _about_signing(profile: str, url: str, environment: Environment) -> list[str]:
    """Return notes for the user about signing with curl."""
    said = []
    named = profile or environment.variables.get("AWS_PROFILE", "")
    if profile or not environment.variables.get("AWS_ACCESS_KEY_ID"):
        option = f" --profile {shlex.quote(named)}" if named else ""
        said.append(
            f'to set the variables: eval "$(aws configure export-credentials{option} --format env)"',
        )
    if "%" in url:
        said.append(
            "if AWS rejects the signature, update curl: old versions sign a ':' in the model name wrongly"
        )
    return said


def _say(environment: Environment, text: str) -> None:
    width = environment.width_of(environment.err)
    environment.err.write(note_line(text, color=environment.colored, width=width))


def _keep_up(environment: Environment) -> None:
    """Say how long the embedded model's server runs; on a terminal, wait for the user to end it."""
    if not environment.out.isatty:
        _say(environment, f"the model server runs for {LENT} s")
        return
    typed = os.isatty(environment.stdin)
    _say(environment, f"the model server runs until you press {'Enter or ' if typed else ''}Ctrl-C")
    try:
        if typed:
            with contextlib.suppress(OSError):
                os.read(environment.stdin, 1024)
        else:
            threading.Event().wait()
    except Interrupted as interrupt:
        if interrupt.number != signal.SIGINT:
            raise


def _command(target: Target, prompt: bytes) -> str:
    """Return the shell command of a child process, with the prompt on standard input or as an argument."""
    if target.factory:
        raise UsageError(f"--show-request: {target.factory} is a Python object and sends no HTTP request")
    from llmstream.transport.process.common import arguments

    argv, given = arguments(target.command, prompt)
    piped = "" if given is None else f"printf %s {shlex.quote(given.decode('utf-8', 'replace'))} | "
    return f"{piped}{shlex.join(argv)}\n"


def _header(name: str, value: str, variable: str) -> str:
    if STAND_IN in value:
        # double quotes, so that the shell expands the variable
        return f'  -H "{name}: {value.replace(STAND_IN, variable)}"'
    if tells_a_secret(name):
        # a header from the configuration
        return f'  -H "{name}: ${name.upper().replace("-", "_")}"'
    return f"  -H {shlex.quote(f'{name}: {value}')}"
