"""Amazon Bedrock's Converse API: one dialect for all its models, streamed as AWS event stream frames.

Sources: Amazon Bedrock API Reference, "Converse", "ConverseStream", "MessageStopEvent", "TokenUsage";
User Guide, "Use an Amazon Bedrock API key" (bearer token); read 2026-11; recorded answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from llmstream.adapters import bedrock_request, http_errors
from llmstream.adapters import openai_common as common
from llmstream.adapters.base import HttpRequest
from llmstream.adapters.bedrock_reader import BedrockReader
from llmstream.adapters.json_values import laid_over, names_at
from llmstream.errors import ProviderError
from llmstream.prompt import Endpoint, Options, Prompt
from llmstream.record import replace


class Bedrock:
    """The ``/model/MODEL/converse`` dialect."""

    name = "bedrock"
    kind = "chat"

    def request(self, prompt: Prompt, options: Options, endpoint: Endpoint, *, stream: bool) -> HttpRequest:
        """Return the request; slashes in the model's id, which may be an ARN, are escaped in the path."""
        body = bedrock_request.body(prompt, options)
        accept = "application/vnd.amazon.eventstream" if stream else "application/json"
        headers = {"accept": accept, **endpoint.headers}
        sent = replace(endpoint, headers=headers, extra_body=laid_over(body, endpoint.extra_body))
        path = f"/model/{quote(endpoint.model, safe='')}/converse" + ("-stream" if stream else "")
        notices = tuple(bedrock_request.notices(prompt, options))
        request = common.post(sent, path, body, stream=False, notices=notices)
        return replace(request, framing="aws") if stream else request

    def reader(self) -> BedrockReader:
        """Return a reader for one answer."""
        return BedrockReader()

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for a refused request's response, with its type from a header."""
        error = http_errors.refusal(status, headers, body)
        kind = headers.get("x-amzn-errortype", "").partition(":")[0]
        if kind:
            error.message += f" ({kind})"
        return error

    def revise(self, request: HttpRequest, error: ProviderError) -> HttpRequest | None:
        """Return None: no field is sent that some models reject."""
        return None

    def models_url(self, endpoint: Endpoint) -> str | None:
        """Return the URL of the model list, which belongs to another service in the same region.

        Source: Amazon Bedrock API Reference, "ListFoundationModels"; AWS General Reference, "Amazon
        Bedrock endpoints": bedrock.REGION and bedrock-runtime.REGION.
        """
        base_url = endpoint.base_url.replace("//bedrock-runtime.", "//bedrock.", 1)
        return base_url + "/foundation-models?byOutputModality=TEXT"

    def models(self, document: object) -> list[str]:
        """Return the models' ids."""
        return names_at(document, "modelSummaries", "modelId")
