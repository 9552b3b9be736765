"""A fake of OpenAI for its official client: a real HTTP server with the provider's wire format and faults."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.serving import serve_app

Body = dict[str, Any]
Fault = Callable[[Request, Body], Response | None]

_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
TEXT_MODEL = "gpt-5.4-mini-2026-03-17"
"""The version that answers for the alias `gpt-5.4-mini`."""
_TEXT_USAGE = {
    "input_tokens": 412,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 96,
    "output_tokens_details": {"reasoning_tokens": 32},
    "total_tokens": 508,
}


def build_outline(scenes: int = 14) -> Body:
    """Builds a structured answer with an outline."""
    return {
        "title": "Mia and the Fox",
        "subtitle": "A story about finding a friend",
        "blurb": "Mia follows a fox into the wood.",
        "dedication": "For Mia",
        "closing": "The end.",
        "scenes": [
            {"summary": f"Scene {number} happens.", "picture": f"Mia with brown curls in scene {number}."}
            for number in range(1, scenes + 1)
        ],
    }


@dataclass(slots=True)
class Call:
    """One received request, and the id that it was given."""

    path: str
    headers: Mapping[str, str]
    body: Body
    request_id: str


@dataclass(slots=True)
class OpenAIServer:
    """The running fake. `faults` are taken one by one, each by the next request to its path.

    `outline` is what structured answers hold, `text` what a scene reads; what a moderated text matches of
    `flagged` (category by pattern) is flagged.
    """

    base_url: str = ""
    calls: list[Call] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    outline: Body = field(default_factory=build_outline)
    text: str = "Mia looked up. There was the fox."
    flagged: dict[str, str] = field(default_factory=dict)

    def fail(self, path: str, *faults: Fault) -> None:
        """Answers the next requests to a path with these faults, in order."""
        self.faults.extend((path, fault) for fault in faults)

    def list_bodies(self, path: str) -> list[Body]:
        """Lists the bodies that were sent to a path."""
        return [call.body for call in self.calls if call.path == path]

    def list_request_ids(self, path: str) -> list[str]:
        """Lists the ids that the requests to a path were given."""
        return [call.request_id for call in self.calls if call.path == path]

    async def answer(self, request: Request) -> Response:
        """Answers a request, and says its id as OpenAI does, whatever the answer is."""
        path = request.url.path.removeprefix("/v1")
        body = orjson.loads(await request.body())
        call = Call(path, dict(request.headers), body, f"req_{len(self.calls) + 1:032x}")
        self.calls.append(call)
        response = self._answer(request, path, body)
        response.headers["x-request-id"] = call.request_id
        return response

    def _answer(self, request: Request, path: str, body: Body) -> Response:
        for index, (wanted, fault) in enumerate(self.faults):
            if wanted == path:
                del self.faults[index]
                if (failure := fault(request, body)) is not None:
                    return failure
                break
        if request.headers.get("authorization") != "Bearer sk-test":
            return build_error_response(401, "invalid_api_key", "Incorrect API key provided.")
        return {"/responses": self._respond, "/images/generations": _draw, "/moderations": self._moderate}[
            path
        ](body)

    def _respond(self, body: Body) -> Response:
        structured = (body.get("text") or {}).get("format", {}).get("type") == "json_schema"
        return build_event_stream(
            build_response_events(orjson.dumps(self.outline).decode() if structured else self.text)
        )

    def _moderate(self, body: Body) -> Response:
        return JSONResponse(
            {
                "id": "modr-1",
                "model": body["model"],
                "results": [self._build_verdict(text) for text in body["input"]],
            }
        )

    def _build_verdict(self, text: str) -> Body:
        found = {category for category, pattern in self.flagged.items() if re.search(pattern, text)}
        return {
            "flagged": bool(found),
            "categories": {category: category in found for category in _CATEGORIES},
            "category_scores": {category: 0.93 if category in found else 0.0001 for category in _CATEGORIES},
            "category_applied_input_types": {category: ["text"] for category in _CATEGORIES},
        }


@asynccontextmanager
async def serve_openai() -> AsyncIterator[OpenAIServer]:
    """Serve the fake; use its `base_url` as OPENAI_BASE_URL and `sk-test` as the key."""
    server = OpenAIServer()
    routes = [
        Route(f"/v1{path}", server.answer, methods=["POST"])
        for path in ("/responses", "/images/generations", "/moderations")
    ]
    async with serve_app(Starlette(routes=routes)) as address:
        server.base_url = f"{address}/v1"
        yield server


def build_response_events(text: str) -> list[Body]:
    """Builds the events of a complete response with a text."""
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


def build_refusal_events(refusal: str) -> list[Body]:
    """Builds the events of a response in which the model refuses."""
    part = {"type": "refusal", "refusal": refusal}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    message = _build_message("completed", [part])
    return [
        {"type": "response.created", "response": _build_response("in_progress", [])},
        {"type": "response.output_item.added", "output_index": 0, "item": _build_message("in_progress", [])},
        {"type": "response.content_part.added", **place, "part": {"type": "refusal", "refusal": ""}},
        {"type": "response.refusal.delta", **place, "delta": refusal},
        {"type": "response.refusal.done", **place, "refusal": refusal},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": _build_response("completed", [message], _TEXT_USAGE)},
    ]


def build_interrupted_stream(text: str, last: Body | None) -> Fault:
    """Builds a stream that stops halfway, after one last event if there is one."""
    events = build_response_events(text)
    middle = events[: len(events) // 2]
    return lambda _, __: build_event_stream(middle + ([last] if last else []))


def build_failed_event(code: str) -> Body:
    """Builds the event of a failed response."""
    failed = _build_response("failed", []) | {"error": {"code": code, "message": "It failed."}}
    return {"type": "response.failed", "response": failed}


def build_incomplete_event(reason: str) -> Body:
    """Builds the event of an incomplete response."""
    incomplete = _build_response("incomplete", [], _TEXT_USAGE) | {"incomplete_details": {"reason": reason}}
    return {"type": "response.incomplete", "response": incomplete}


def build_error_event(code: str) -> Body:
    """Builds the event of an error in the middle of a stream."""
    return {"type": "error", "code": code, "message": "The server had an error.", "param": None}


def build_event_stream(events: list[Body]) -> Response:
    """Streams events with sequence numbers as Server-Sent Events."""

    async def lines() -> AsyncIterator[bytes]:
        for number, event in enumerate(events):
            yield encode_event(event, number)

    return StreamingResponse(lines(), media_type="text/event-stream")


def encode_event(event: Body, number: int) -> bytes:
    """Encodes an event with its sequence number as a Server-Sent Event."""
    numbered = {**event, "sequence_number": number}
    return b"event: %s\ndata: %s\n\n" % (str(event["type"]).encode(), orjson.dumps(numbered))


def build_error_response(status: int, code: str | None, message: str = "No.", **headers: str) -> Response:
    """Builds an error in the provider's format."""
    kind = "image_generation_user_error" if code == "moderation_blocked" else "invalid_request_error"
    return JSONResponse(
        {"error": {"message": message, "type": kind, "param": None, "code": code}},
        status_code=status,
        headers=headers,
    )


def build_rate_limit_fault(**headers: str) -> Fault:
    """Builds a fault that answers 429."""
    return lambda _, __: build_error_response(429, "rate_limit_exceeded", **headers)


def _draw(body: Body) -> Response:
    width, height = (int(edge) for edge in body["size"].split("x"))
    return JSONResponse(
        {
            "created": 1_790_000_000,
            "background": "opaque",
            "output_format": body["output_format"],
            "quality": "high",
            "size": body["size"],
            "data": [{"b64_json": base64.b64encode(build_white_png(width, height)).decode()}],
            "usage": {
                "input_tokens": 120,
                "input_tokens_details": {"text_tokens": 120, "image_tokens": 0},
                "output_tokens": 6240,
                "output_tokens_details": {"image_tokens": 6240, "text_tokens": 0},
                "total_tokens": 6360,
            },
        }
    )


def build_white_png(width: int, height: int) -> bytes:
    """Encodes a white PNG of this size, in pixels."""
    row = b"\x00" + b"\xff" * ((width + 7) // 8)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * height)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


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
