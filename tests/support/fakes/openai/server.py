"""The server of the fake OpenAI."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.fakes.faults import Call
from tests.support.fakes.openai.responses import Body, build_event_stream, build_response_events
from tests.support.fakes.server import FakeServer, Scenario
from tests.support.pictures import build_indexed_png

RESPONSES: Final = "/v1/responses"
IMAGES: Final = "/v1/images/generations"
MODERATIONS: Final = "/v1/moderations"
_KEY: Final = "sk-test"
_CATEGORIES: Final = (
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
_PICTURE_USAGE: Final = {
    "input_tokens": 120,
    "input_tokens_details": {"text_tokens": 120, "image_tokens": 0},
    "output_tokens": 6240,
    "output_tokens_details": {"image_tokens": 6240, "text_tokens": 0},
    "total_tokens": 6360,
}


def build_outline(scenes: int = 14) -> Body:
    """Build a structured answer with an outline."""
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


class OpenAIScenario(Scenario):
    """What OpenAI answers: `outline` where structure is asked for, else `text`.

    A moderated text is flagged under each category of `flagged` whose pattern it matches.
    """

    outline: Body = Field(default_factory=build_outline)
    text: str = "Mia looked up. There was the fox."
    flagged: Mapping[str, str] = Field(default_factory=dict)


class FakeOpenAI(FakeServer[OpenAIScenario]):
    """OpenAI, as far as the platform uses it; a picture is a plain colour, another one each time."""

    name = "openai"

    def __init__(self) -> None:
        self._drawn = 0
        super().__init__(OpenAIScenario())

    @property
    def environ(self) -> Mapping[str, str]:
        return {"OPENAI_API_KEY": _KEY, "OPENAI_BASE_URL": f"{self.address}/v1"}

    def build_routes(self) -> list[Route]:
        answers = {RESPONSES: self._respond, IMAGES: self._draw, MODERATIONS: self._moderate}
        return [Route(path, self._require_key(answer), methods=["POST"]) for path, answer in answers.items()]

    def build_error(self, status: int, code: str | None, headers: Mapping[str, str]) -> Response:
        kind = "image_generation_user_error" if code == "moderation_blocked" else "invalid_request_error"
        error = {"message": "No.", "type": kind, "param": None, "code": code}
        return JSONResponse({"error": error}, status_code=status, headers=headers)

    def build_headers(self, call: Call) -> Mapping[str, str]:
        return {"x-request-id": _build_request_id(call)}

    def list_bodies(self, path: str) -> list[Body]:
        """List the bodies that were sent to a path."""
        return [call.read_json() for call in self.list_calls(path)]

    def list_request_ids(self, path: str) -> list[str]:
        """List the ids that the requests to a path were given."""
        return [_build_request_id(call) for call in self.list_calls(path)]

    def _require_key(self, answer: Callable[[Body], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def answer_authorized(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {_KEY}":
                return self.build_error(401, "invalid_api_key", {})
            return answer(await request.json())

        return answer_authorized

    def _respond(self, body: Body) -> Response:
        is_structured = (body.get("text") or {}).get("format", {}).get("type") == "json_schema"
        outline = orjson.dumps(self.scenario.outline).decode()
        return build_event_stream(build_response_events(outline if is_structured else self.scenario.text))

    def _draw(self, body: Body) -> Response:
        width, height = (int(edge) for edge in body["size"].split("x"))
        self._drawn += 1
        png = build_indexed_png(self._drawn, width, height)
        return JSONResponse(
            {
                "created": 1_790_000_000,
                "background": "opaque",
                "output_format": body["output_format"],
                "quality": "high",
                "size": body["size"],
                "data": [{"b64_json": base64.b64encode(png).decode()}],
                "usage": _PICTURE_USAGE,
            }
        )

    def _moderate(self, body: Body) -> Response:
        verdicts = [self._build_verdict(text) for text in body["input"]]
        return JSONResponse({"id": "modr-1", "model": body["model"], "results": verdicts})

    def _build_verdict(self, text: str) -> Body:
        found = {category for category, pattern in self.scenario.flagged.items() if re.search(pattern, text)}
        return {
            "flagged": bool(found),
            "categories": {category: category in found for category in _CATEGORIES},
            "category_scores": {category: 0.93 if category in found else 0.0001 for category in _CATEGORIES},
            "category_applied_input_types": {category: ["text"] for category in _CATEGORIES},
        }


def _build_request_id(call: Call) -> str:
    return f"req_{call.number:032x}"
