"""The configuration file that `llmstream config init` writes, with all settings commented out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmstream.config.paths import present, write_private
from llmstream.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

STARTER: Final = """\
# Configuration of llmstream.  Everything here is optional: without this file, llmstream knows the
# built-in catalogue (`llmstream providers --all`) and uses `local`.
# Flags override the environment, which overrides this file, which overrides the defaults.
# `llmstream config check` checks this file, `llmstream config show --origin` prints the settings in effect.

# default = "local"                # PROVIDER, PROVIDER/MODEL or alias
# history = true                   # keep runs: `llmstream history`
# markdown = true                  # show answers as Markdown on a terminal

# [aliases]
# fast = "groq/openai/gpt-oss-20b"

# A provider from the catalogue: set only what differs.
# [providers.openai]
# model   = "gpt-5.4-mini"
# options = { max_tokens = 1024 }

# Any other service.
# [providers.work]
# adapter     = "openai-chat"      # or preset = "groq" to start from the catalogue
# base_url    = "https://llm.example.com/v1"
# model       = "gpt-5-mini"
# api_key_env = "WORK_KEY"         # "" when the server needs no key; or one of
# # api_key_command = ["pass", "show", "work"]
# # api_key_file    = "/run/secrets/work"
# # api_key         = "..."        # then chmod 600 this file
# headers     = { X-Team = "search" }
# options     = { temperature = 0, max_tokens = 512 }
# extra_body  = { top_k = 40 }
# timeout     = { connect = 10, first_token = 600, idle = 120, total = 0 }  # seconds, 0 = none
# max_retries = 2

# The local model, which runs inside llmstream.
# [providers.local]
# model   = "smollm2"
# dialect = "openai-completions"   # complete text instead of chatting
# context = 4096
"""
"""A configuration file in which every line is a comment."""


def init(path: Path) -> None:
    """Write the starter file, readable by the user alone; an existing file is kept.

    Raises:
        ConfigError: the file already exists or can't be written.
    """
    if present(path):
        raise ConfigError(f"{path} already exists", hint="to edit it: llmstream config edit")
    write_private(path, STARTER, replace=False)
