"""A little provider for jobs, a process of its own: answers at once, keeps a ledger, and fails on request.

The answer to a prompt is ``re: PROMPT``.  A prompt that begins with ``refuse STATUS`` is refused with
that status, one with ``once STATUS`` the first time only.  ``GET /ledger`` returns the prompts that were asked, in their order.
Gemini's batches: ``POST /gemini/models/M:batchGenerateContent``; a batch is done at its second look.
``python provider.py`` prints its port.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

ASKED: list[str] = []
BATCHES: dict[str, dict[str, Any]] = {}


def streamed(text: str) -> bytes:
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": text}}]}]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": len(text), "completion_tokens": 3, "total_tokens": len(text) + 3}
    chunks.append({"choices": [], "usage": usage})
    return b"".join(f"data: {json.dumps(one)}\n\n".encode() for one in chunks) + b"data: [DONE]\n\n"


def chat(body: dict[str, Any]) -> tuple[int, bytes, str]:
    prompt = str(body["messages"][-1]["content"])
    ASKED.append(prompt)
    kind, _, rest = prompt.partition(" ")
    if kind == "refuse" or (kind == "once" and ASKED.count(prompt) == 1):
        return int(rest.split()[0]), b'{"error": {"message": "not this one"}}', "application/json"
    return 200, streamed(f"re: {prompt}"), "text/event-stream"


def gemini(method: str, path: str, body: dict[str, Any]) -> tuple[int, bytes, str]:
    name = f"batches/b{len(BATCHES) + 1}"
    if path.endswith(":batchGenerateContent"):
        batch = body["batch"]
        made = {
            "name": name,
            "metadata": {"displayName": batch["displayName"], "state": "BATCH_STATE_PENDING"},
        }
        BATCHES[name] = {
            "operation": made,
            "requests": batch["inputConfig"]["requests"]["requests"],
            "looks": 0,
        }
        return 200, json.dumps(made).encode(), "application/json"
    if path.startswith("/gemini/batches?"):
        found = [batch["operation"] for batch in BATCHES.values()]
        return 200, json.dumps({"operations": found}).encode(), "application/json"
    batch = BATCHES[path.removeprefix("/gemini/")]
    batch["looks"] += 1
    operation = dict(batch["operation"])
    if batch["looks"] > 1:
        operation["metadata"] = {**operation["metadata"], "state": "BATCH_STATE_SUCCEEDED"}
        operation["done"] = True
        inlined = [gemini_answer(request) for request in reversed(batch["requests"])]
        operation["response"] = {"inlinedResponses": {"inlinedResponses": inlined}}
    return 200, json.dumps(operation).encode(), "application/json"


def gemini_answer(request: dict[str, Any]) -> dict[str, Any]:
    text = request["request"]["contents"][-1]["parts"][0]["text"]
    if text.startswith("refuse"):
        return {"error": {"code": 3, "message": "not this one"}, "metadata": request["metadata"]}
    content = {"role": "model", "parts": [{"text": f"re: {text}"}]}
    response = {"candidates": [{"content": content, "finishReason": "STOP"}]}
    return {"response": response, "metadata": request["metadata"]}


def routed(method: str, path: str, body: bytes) -> tuple[int, bytes, str]:
    if path == "/ledger":
        return 200, json.dumps({"asked": ASKED, "batches": len(BATCHES)}).encode(), "application/json"
    if path.startswith("/gemini"):
        return gemini(method, path, json.loads(body or b"{}"))
    return chat(json.loads(body))


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            method, path, _ = head.decode().split(" ", 2)
            size = next(
                (
                    int(line[15:])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            status, data, kind = routed(method, path, await reader.readexactly(size))
            top = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n\r\n"
            writer.write(top.encode() + data)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
