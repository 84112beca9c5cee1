"""The agent of docs/agents.md: LangGraph with our chat model, against a server that plays a tool call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tape.served import Reply, Server, chat_pieces

pytest.importorskip("langgraph")

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text("utf-8")
AGENT = PAGE.split("```python\n")[1].split("```")[0].replace("openai/gpt-5-mini", "server/m1")
CONFIG = """
[providers.server]
adapter = "openai-chat"
base_url = "{url}"
api_key_env = "SERVER_KEY"

[providers.agent]
adapter = "runnable"
factory = "my_agent:agent"
path = "{path}"
"""


def tool_call() -> Iterator[bytes]:
    function = {"name": "weather", "arguments": '{"city": "Rome"}'}
    delta = {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}
    for choice in ({"delta": delta, "finish_reason": None}, {"delta": {}, "finish_reason": "tool_calls"}):
        yield b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


def test_an_agent_tells_its_steps_and_answers_with_its_last_message(tmp_path: Path) -> None:
    folder = tmp_path / "agents"
    folder.mkdir(mode=0o700)
    file = folder / "my_agent.py"
    file.write_text(AGENT)
    file.chmod(0o600)
    with Server(Reply(list(tool_call())), Reply(list(chat_pieces("It is ", "sunny.")))) as server:
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(url=server.url, path=folder))
        command = [sys.executable, "-m", "llmstream", "-m", "agent"]
        done = subprocess.run(
            [*command, "--events", "--steps", "How is the weather in Rome?"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            env={
                **os.environ,
                "HOME": str(tmp_path),
                # the model in the agent reads it too
                "LLMSTREAM_CONFIG": str(config),
                "SERVER_KEY": "sk-0123456789abcdef",
            },
        )
        assert done.returncode == 0, done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        result = json.loads(server.requests[1].partition(b"\r\n\r\n")[2])["messages"][-1]
    assert (result["role"], result["tool_call_id"]) == ("tool", "call_1")
    assert "sunny in Rome" in str(result["content"])
    told = [event["event"] for event in events if event["name"] == "weather"]
    assert told == ["on_tool_start", "on_tool_end"]
    ours = [event for event in events if not event["parent_ids"]]
    assert [one["data"]["chunk"] for one in ours if one["event"] == "on_llm_stream"] == ["It is ", "sunny."]
    assert events[-1]["data"]["text"] == "It is sunny."
    # what the page's jq line prints, but for the graph's own chains, which differ between its versions
    shown = PAGE.split("<!-- jq -->\n```\n")[1].split("```")[0].splitlines()
    made = [json.dumps([one["event"], one["name"]], separators=(",", ":")) for one in events]
    assert [line for line in made if "chain" not in line] == [line for line in shown if "chain" not in line]
