"""OpenAI's streamed responses: their events, and streams that fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final, TypeAlias

import orjson
from starlette.responses import Response, StreamingResponse

from tests.support.fakes.faults import Fault, answer_with

Body: TypeAlias = dict[str, Any]

TEXT_MODEL: Final = "gpt-5.4-mini-2026-03-17"
"""The version that answers for the alias `gpt-5.4-mini`."""
_TEXT_USAGE: Final = {
    "input_tokens": 412,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 96,
    "output_tokens_details": {"reasoning_tokens": 32},
    "total_tokens": 508,
}


def build_response_events(text: str) -> list[Body]:
    """Build the events of a complete response with a text."""
    begun = _build_response("in_progress", [])
    message = _build_message("in_progress", [])
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    pieces = [text[start : start + 7] for start in range(0, len(text), 7)]
    done = {**part, "text": text}
    return [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": message},
        {"type": "response.content_part.added", **place, "part": part},
        *(
            {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
            for piece in pieces
        ),
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": done},
        {"type": "response.output_item.done", "output_index": 0, "item": _build_message("completed", [done])},
        {
            "type": "response.completed",
            "response": _build_response("completed", [_build_message("completed", [done])], _TEXT_USAGE),
        },
    ]


def build_refusal(refusal: str) -> Fault:
    """Build a response in which the model refuses."""
    part = {"type": "refusal", "refusal": refusal}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    message = _build_message("completed", [part])
    events: list[Body] = [
        {"type": "response.created", "response": _build_response("in_progress", [])},
        {"type": "response.output_item.added", "output_index": 0, "item": _build_message("in_progress", [])},
        {"type": "response.content_part.added", **place, "part": {"type": "refusal", "refusal": ""}},
        {"type": "response.refusal.delta", **place, "delta": refusal},
        {"type": "response.refusal.done", **place, "refusal": refusal},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": _build_response("completed", [message], _TEXT_USAGE)},
    ]
    return answer_with(lambda: build_event_stream(events))


def build_interrupted_stream(text: str, last: Body | None) -> Fault:
    """Build a stream that ends halfway, after one last event if there is one."""
    events = build_response_events(text)
    middle = events[: len(events) // 2]
    return answer_with(lambda: build_event_stream(middle + ([last] if last else [])))


def build_failed_event(code: str) -> Body:
    """Build the event of a failed response."""
    failed = _build_response("failed", []) | {"error": {"code": code, "message": "It failed."}}
    return {"type": "response.failed", "response": failed}


def build_incomplete_event(reason: str) -> Body:
    """Build the event of an incomplete response."""
    incomplete = _build_response("incomplete", [], _TEXT_USAGE) | {"incomplete_details": {"reason": reason}}
    return {"type": "response.incomplete", "response": incomplete}


def build_error_event(code: str) -> Body:
    """Build the event of an error in the middle of a stream."""
    return {"type": "error", "code": code, "message": "The server had an error.", "param": None}


def build_event_stream(events: list[Body]) -> Response:
    """Stream events with sequence numbers as Server-Sent Events."""

    async def lines() -> AsyncIterator[bytes]:
        for number, event in enumerate(events):
            yield encode_event(event, number)

    return StreamingResponse(lines(), media_type="text/event-stream")


def encode_event(event: Body, number: int) -> bytes:
    """Encode an event with its sequence number as a Server-Sent Event."""
    numbered = {**event, "sequence_number": number}
    return b"event: %s\ndata: %s\n\n" % (str(event["type"]).encode(), orjson.dumps(numbered))


def _build_message(status: str, content: list[Body]) -> Body:
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}


def _build_response(status: str, output: list[Body], usage: Body | None = None) -> Body:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": TEXT_MODEL,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage,
    }
