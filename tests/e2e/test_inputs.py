"""Files, attachments, schemas and tools: what goes into each dialect's request, by the real command."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from e2e.recorder import TEXT, Recorder
from fakes.command import Command, Home

DIALECTS = {
    "openai-completions": "/v1", "openai-chat": "/v1", "openai-responses": "/v1", "anthropic": "",
    "gemini": "/v1beta", "ollama": "", "cohere": "", "bedrock": "",
}  # fmt: skip
"""Dialect -> end of its base URL."""
CONTENTS = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF", "gif": b"GIF89a\1\0\1\0",
    "webp": b"RIFF\x1a\0\0\0WEBPVP8 ", "pdf": b"%PDF-1.7\n%\xe2\xe3", "wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "mp3": b"ID3\4\0\0\0\0", "flac": b"fLaC\0\0\0\x22", "ogg": b"OggS\0\2\0\0",
}  # fmt: skip
"""How files of each kind begin."""
TAKEN = {
    "openai-completions": "",
    "openai-chat": "png jpeg gif webp pdf wav mp3 flac ogg",
    "openai-responses": "png jpeg gif webp pdf",
    "anthropic": "png jpeg gif webp pdf",
    "gemini": "png jpeg gif webp pdf wav mp3 flac ogg",
    "ollama": "png jpeg gif webp",
    "cohere": "png jpeg gif webp",
    "bedrock": "png jpeg gif webp pdf wav mp3 flac ogg",
}
"""Kinds that each dialect has a place for."""
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "now", "parameters": SCHEMA}}


def table(recorder: Recorder, dialect: str, more: str = "") -> str:
    """Return a configuration whose default speaks a dialect."""
    return (
        f'default = "acme"\n[providers.acme]\nadapter = "{dialect}"\n'
        f'base_url = "{recorder.address}{DIALECTS[dialect]}"\nmodel = "m"\napi_key = "k-0123"\n{more}\n'
    )


def texts(value: Any) -> list[str]:
    """Return all texts in a JSON document."""
    if isinstance(value, dict):
        value = [*value.values()]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else [str(value)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_attachment_is_sent_or_said_to_be_left_out(
    dialect: str, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, dialect))
    # one dialect is enough to show that every kind is known
    for kind in CONTENTS if dialect == "openai-chat" else ("webp", "pdf", "mp3"):
        content = CONTENTS[kind]
        # the name lies: what a file is stands in its first bytes
        (home.folder / f"{kind}.txt").write_bytes(content)
        run = run_llmstream("-a", f"{kind}.txt", "Look at this")
        assert (run.status, run.out) == (0, TEXT + "\n"), run.err
        said = texts(recorder.last.body)
        sent = any(b64encode(content).decode() in text for text in said)
        assert sent == (kind in TAKEN[dialect].split()), kind
        assert ("left out" in run.err) == (not sent), kind
        assert any("Look at this" in text for text in said)


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic", "gemini"])
def test_several_attachments_and_files_go_along_in_their_order(
    dialect: str, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, dialect))
    for kind in ("pdf", "png"):
        (home.folder / kind).write_bytes(CONTENTS[kind])
    (home.folder / "notes.md").write_text("# Notes\n```\ncode\n```\n")
    (home.folder / "last.txt").write_text("no newline")
    files = ["-f", "notes.md", "--file", "last.txt", "-a", "pdf", "--attach", "png"]
    assert run_llmstream(*files, "Compare").status == 0
    said = texts(recorder.last.body)
    places = [
        next(at for at, text in enumerate(said) if b64encode(CONTENTS[kind]).decode() in text)
        for kind in ("pdf", "png")
    ]
    assert places == sorted(places)
    text = next(text for text in said if "Compare" in text)
    assert text == (
        "notes.md:\n````\n# Notes\n```\ncode\n```\n````\n\nlast.txt:\n```\nno newline\n```\n\nCompare"
    )


def test_an_attachment_alone_is_a_prompt(home: Home, recorder: Recorder, run_llmstream: Command) -> None:
    home.write(table(recorder, "openai-chat"))
    (home.folder / "p").write_bytes(CONTENTS["png"])
    assert run_llmstream("-a", "p").status == 0
    [part] = recorder.last.body["messages"][0]["content"]
    assert part["type"] == "image_url"


@pytest.mark.parametrize(
    ("option", "size", "limit"), [("--attach", 20 * 2**20, "20 MiB"), ("--file", 16 * 2**20, "16 MiB")]
)
def test_a_file_is_as_large_as_can_be_sent_and_no_larger(
    home: Home, recorder: Recorder, run_llmstream: Command, option: str, size: int, limit: str
) -> None:
    home.write(table(recorder, "openai-chat"))
    content = CONTENTS["png"] if option == "--attach" else b"a"
    file: Path = home.folder / "large"
    file.write_bytes(content + b"a" * (size - len(content)))
    assert run_llmstream(option, "large", "Hello").status == 0
    with file.open("ab") as longer:
        longer.write(b"a")
    run = run_llmstream(option, "large", "Hello")
    assert (run.status, run.out, len(recorder.requests)) == (2, "", 1)
    assert "large" in run.err and limit in run.err


@pytest.mark.parametrize(
    ("option", "content", "said"),
    [
        ("--attach", b"plain text", "not a recognised image"),
        ("--attach", b"", "not a recognised image"),
        ("--file", CONTENTS["png"], "not UTF-8 text"),
        ("--attach", None, "can't read"),
        ("--file", None, "can't read"),
    ],
)
def test_a_file_of_the_wrong_kind_is_refused_before_anything_is_sent(
    home: Home, recorder: Recorder, run_llmstream: Command, option: str, content: bytes | None, said: str
) -> None:
    home.write(table(recorder, "openai-chat"))
    if content is not None:
        (home.folder / "beside").write_bytes(content)
    run = run_llmstream(option, "beside", "Hello")
    assert (run.status, run.out, recorder.requests) == (2, "", [])
    assert said in run.err and "beside" in run.err and "Traceback" not in run.err


def schema_in(dialect: str, body: Any) -> Any:
    """Return the schema in a dialect's request."""
    if dialect == "openai-chat":
        return body["response_format"]["json_schema"]["schema"]
    if dialect == "openai-responses":
        return body["text"]["format"]["schema"]
    if dialect == "anthropic":
        return body["output_config"]["format"]["schema"]
    if dialect == "gemini":
        return body["generationConfig"]["responseJsonSchema"]
    if dialect == "ollama":
        return body["format"]
    if dialect == "cohere":
        return body["response_format"]["json_schema"]
    return json.loads(body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])


def tool_in(dialect: str, body: Any) -> Any:
    """Return name and schema of the only tool in a dialect's request."""
    if dialect == "gemini":
        [tool] = body["tools"][0]["functionDeclarations"]
        return tool["name"], tool["parametersJsonSchema"]
    if dialect == "bedrock":
        tool = body["toolConfig"]["tools"][0]["toolSpec"]
        return tool["name"], tool["inputSchema"]["json"]
    [tool] = body["tools"]
    if dialect == "anthropic":
        return tool["name"], tool["input_schema"]
    tool = tool.get("function", tool)
    return tool["name"], tool["parameters"]


@pytest.mark.parametrize("source", ["text", "file"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_schema_becomes_the_dialects_structured_output(
    dialect: str, source: str, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    home.write(table(recorder, dialect))
    (home.folder / "schema.json").write_text(json.dumps(SCHEMA))
    given = json.dumps(SCHEMA) if source == "text" else "schema.json"
    run = run_llmstream("--schema", given, "Where?")
    assert run.status == 0, run.err
    if dialect == "openai-completions":
        assert "doesn't support the option 'schema': left out" in run.err
    else:
        assert schema_in(dialect, recorder.last.body) == SCHEMA and run.err == ""


@pytest.mark.parametrize("source", ["option", "file"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_tools_are_passed_through_in_the_dialects_form(
    dialect: str, source: str, home: Home, recorder: Recorder, run_llmstream: Command
) -> None:
    function = (
        '{ name = "weather", description = "now", parameters = { type = "object", '
        'properties = { city = { type = "string" } }, required = ["city"] } }'
    )
    tools = f'options = {{ tools = [{{ type = "function", function = {function} }}] }}'
    home.write(table(recorder, dialect, tools if source == "file" else ""))
    options = ["-o", f"tools={json.dumps([TOOL])}"] if source == "option" else []
    run = run_llmstream(*options, "Weather?")
    assert run.status == 0, run.err
    if dialect == "openai-completions":
        assert "doesn't support the option 'tools': left out" in run.err
    else:
        assert tool_in(dialect, recorder.last.body) == ("weather", SCHEMA) and run.err == ""
