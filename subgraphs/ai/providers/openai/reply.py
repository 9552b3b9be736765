"""A streamed response of OpenAI: the pieces of its text, its failures, and what it used."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from openai import AsyncStream
from openai.types.responses import Response, ResponseStreamEvent

from subgraphs.ai.providers.openai import NAME
from subgraphs.ai.providers.openai.client import build_failure
from subgraphs.ai.providers.ports import ContentRefused, ProviderFailed, Usage


class Reply:
    """The pieces of a response's text, in order; ProviderFailed where the response fails or ends early.

    The client raises for none of the events that report a failure. `usage` has the tokens once the last
    event has arrived.
    """

    def __init__(self, stream: AsyncStream[ResponseStreamEvent], model: str) -> None:
        self._stream = stream
        self._is_complete = False
        self.usage = Usage(NAME, model, request_id=stream.response.headers.get("x-request-id"))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while (event := await anext(self._stream, None)) is not None:
            self._check(event)
            if event.type == "response.output_text.delta":
                return event.delta
        if not self._is_complete:
            raise ProviderFailed("OpenAI's text ended early.", retryable=True)
        raise StopAsyncIteration

    def _check(self, event: ResponseStreamEvent) -> None:
        match event.type:
            case "error":
                raise build_failure(event.code, event.message)
            case "response.failed":
                self._read_usage(event.response)
                error = event.response.error
                raise build_failure(error.code if error else None, error.message if error else "")
            case "response.incomplete":
                self._read_usage(event.response)
                details = event.response.incomplete_details
                raise build_failure(details.reason if details else None, "incomplete")
            case "response.completed":
                self._read_usage(event.response)
                _raise_for_refusal(event.response)
                self._is_complete = True

    def _read_usage(self, response: Response) -> None:
        used = response.usage
        self.usage = replace(
            self.usage,
            model=response.model,
            input_tokens=used.input_tokens if used else None,
            output_tokens=used.output_tokens if used else None,
        )


def _raise_for_refusal(response: Response) -> None:
    for item in response.output:
        if item.type == "message" and any(part.type == "refusal" for part in item.content):
            raise ContentRefused("refusal")
