"""The man page llmstream(1), made from the tables of options and commands.

``python -m llmstream.cli.parsing.manual >man/llmstream.1`` writes the page that is installed.
"""

from __future__ import annotations

import sys
from itertools import groupby
from typing import Final

from llmstream.cli.parsing.commands import COMMANDS, Command
from llmstream.cli.parsing.help import PANELS, STATUSES, placeholder
from llmstream.cli.parsing.option import ALL, PROMPT, Option
from llmstream.cli.parsing.table import options_of

HEAD: Final = """\
.\\" made from the option table by `python -m llmstream.cli.parsing.manual`, don't edit
.TH LLMSTREAM 1
.SH NAME
llmstream \\- stream a language model's tokens into a terminal or a pipe
.SH SYNOPSIS
.B llmstream
.RI [ OPTIONS ]
.RI [ PROMPT ]...
.br
.B llmstream
.I COMMAND
\\&...
.SH DESCRIPTION
Sends
.I PROMPT
to a language model, together with any piped input, and writes the answer to standard output as it arrives.
Messages go to standard error.
.PP
Only the first word can name a command;
.B llmstream \\-\\- models
sends the word as a prompt.
"""
TAIL: Final = """\
.SH ENVIRONMENT
.TP
.B LLMSTREAM_MODEL
The model, unless
.B \\-m
names one.
.TP
.B LLMSTREAM_CONFIG
The configuration file, unless
.B \\-\\-config
names one.
.TP
.B LLMSTREAM_NO_HISTORY
Set to 1 to keep runs out of the history.
.TP
.BR OPENAI_API_KEY ", " ANTHROPIC_API_KEY " and others"
API keys;
.B llmstream providers
lists the variable that each provider reads.
.TP
.BR NO_COLOR ", " HTTPS_PROXY ", " HTTP_PROXY ", " NO_PROXY
Honoured as usual.
.SH FILES
.TP
.I ~/.config/llmstream/config.toml
The configuration;
.B llmstream config init
writes one to start from.
.TP
.I ~/.config/llmstream/templates/NAME.toml
Templates (saved prompts).
.TP
.I ~/.local/share/llmstream/history.db
The history, which only its owner can read;
.B llmstream history off
turns it off.
.PP
These are the paths on Linux;
.BR "llmstream config path" ", " "llmstream template path " and " llmstream history path"
print those of this machine.
"""


def manual() -> str:
    """Return the page, in the man macros that every troff supports."""
    lines = [HEAD.rstrip("\n"), ".SH OPTIONS"]
    ordered = sorted(options_of(PROMPT), key=lambda option: PANELS.index(option.panel))
    for panel, options in groupby(ordered, key=lambda option: option.panel):
        lines.append(f".SS {_text(panel)}")
        for option in options:
            lines += _option(option)
    lines.append(".SH COMMANDS")
    for command in COMMANDS:
        if command.name != PROMPT:
            lines += _command(command)
    lines.append(".SH EXIT STATUS")
    for one in " ".join(STATUSES.split()).removeprefix("Exit status: ").rstrip(".").split(", "):
        status, _, meaning = one.partition(" ")
        lines += [".TP", f".B {status}", _text(f"{meaning[:1].upper()}{meaning[1:]}.")]
    return "\n".join([*lines, TAIL])


def _command(command: Command) -> list[str]:
    """Return a command's entry: its usage, description and own options."""
    words = "".join(f" {word}" for word in command.arguments)
    lines = [f".SS {_text(f'llmstream {command.name}{words}')}", _text(f"{command.help}.")]
    meanings = zip(command.arguments, command.meanings, strict=False)
    lines += [line for word, meaning in meanings for line in _entry(f"\\fI{_text(word)}\\fR", meaning)]
    options = [option for option in options_of(command.name) if option.commands != ALL]
    shared = {option.key for option in options_of(PROMPT)}
    for option in options:
        if option.commands == (command.name,) or option.key not in shared or not option.panel:
            lines += _option(option)
    also = [f"--{option.name}" for option in options if option.panel and option.key in shared]
    if also:
        lines += [".PP", _text(f"Options shared with a prompt: {', '.join(also)}.")]
    return lines


def _option(option: Option) -> list[str]:
    value = placeholder(option)
    names = [f"-{option.short}"] if option.short else []
    names.append(f"--{option.name}")
    names += [f"--{option.off}"] if option.off else []
    bold = ", ".join(f"\\fB{_text(name)}\\fR" for name in names)
    return _entry(bold + (f" \\fI{_text(value)}\\fR" if value else ""), option.help)


def _entry(head: str, text: str) -> list[str]:
    return [".TP", head, _text(f"{text}.")]


def _text(text: str) -> str:
    """Return a text escaped for troff, so that none of it is a request or an escape."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    sys.stdout.write(manual())
