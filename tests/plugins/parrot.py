"""The dialect of Parrot: POST /speak, answered with one JSON object a line."""

import json
from collections.abc import Iterator, Mapping

from llmstream.adapters.base import HttpRequest
from llmstream.adapters.http_errors import refusal
from llmstream.adapters.json_values import text_at
from llmstream.errors import ProviderError
from llmstream.events import Event, Finish, TextDelta
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.wire.document import parse_object
from llmstream.wire.message import WireMessage

FIELDS = {"temperature": "wildness", "max_tokens": "most_words", "stop": "stop"}


class Parrot:
    name = "parrot"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        said = [{"role": message.role, "text": message.content} for message in prompt.messages]
        given = options.given()
        known = {FIELDS[name]: value for name, value in given.items() if name in FIELDS} | {**options.extra}
        body = {"bird": endpoint.model, "said": said, "stream": stream, **known, **endpoint.extra_body}
        key = {"authorization": f"Bearer {endpoint.api_key.reveal()}"} if endpoint.api_key else {}
        headers = {"content-type": "application/json", **key, **endpoint.headers}
        refused = [f"option {name!r}" for name in given if name not in FIELDS]
        refused += ["attachment" for message in prompt.messages for _ in message.attachments]
        notices = tuple(f"parrot doesn't accept {what}: left out" for what in refused)
        url = f"{endpoint.base_url}/speak"
        return HttpRequest("POST", url, headers, json.dumps(body).encode(), "ndjson", notices)

    def reader(self) -> "ParrotReader":
        return ParrotReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        return refusal(status, headers, body)

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        return None

    def models(self, document: object) -> list[str]:
        return []


class ParrotReader:
    done = finished = False

    def read(self, message: WireMessage) -> Iterator[Event]:
        line = parse_object(message.data)
        if "word" in line:
            yield TextDelta(text_at(line, "word"))
        if "end" in line:
            self.done = self.finished = True
            yield Finish("stop" if line["end"] == "stop" else "length", text_at(line, "end"))
