"""OpenAI as a provider, over its official client."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AsyncOpenAI,
    BadRequestError,
    OpenAIError,
)
from openai.lib.streaming.responses import ResponseStreamEvent
from openai.types.responses import Response
from pydantic import BaseModel, Field, ValidationError

from subgraphs.ai.domain import Settings
from subgraphs.ai.providers import prompts
from subgraphs.ai.providers.protocol import (
    SCENES,
    ContentRefused,
    Outline,
    Picture,
    PictureRequest,
    ProviderFailed,
    Rejection,
    Scene,
    SceneRequest,
    StoryBrief,
)

_MODERATION_MODEL = "omni-moderation-latest"
_PICTURE_EDGE = 2048
_OUTLINE_TOKENS = 6000
_SCENE_TOKENS = 1500
_TIMEOUT_SECONDS = 240
_PNG_HEADER = struct.Struct(">8s8xII")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_REFUSALS = frozenset(
    {"moderation_blocked", "content_policy_violation", "image_content_policy_violation", "content_filter"}
)


class SceneForm(BaseModel):
    """A scene, as the model must give it."""

    summary: str
    picture: str


class OutlineForm(BaseModel):
    """An outline, as the model must give it."""

    title: str
    subtitle: str
    blurb: str
    dedication: str
    closing: str
    scenes: list[SceneForm] = Field(min_length=SCENES, max_length=SCENES)


@asynccontextmanager
async def open_openai(settings: Settings) -> AsyncIterator[OpenAIProvider]:
    """Open a client, and close it at the end.

    The client does not try again by itself: each try is an attempt of its step, which sees first whether
    the generation was cancelled.
    """
    async with AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        max_retries=0,
        timeout=_TIMEOUT_SECONDS,
    ) as client:
        yield OpenAIProvider(client, settings.openai_text_model, settings.openai_image_model)


class OpenAIProvider:
    """Writes and draws with the models of the settings. Nothing is stored at OpenAI."""

    name = "openai"

    def __init__(self, client: AsyncOpenAI, text_model: str, image_model: str) -> None:
        self._client = client
        self._text_model = text_model
        self._image_model = image_model

    def writes(self, language: str) -> bool:
        """Any language."""
        return bool(language)

    async def moderate(self, texts: Mapping[str, str], *, author: str) -> Rejection | None:
        """Judge the texts in one call; what is flagged is rejected under its strongest category."""
        del author
        with _failures():
            answer = await self._client.moderations.create(
                model=_MODERATION_MODEL, input=list(texts.values())
            )
        for field, result in zip(texts, answer.results, strict=True):
            if result.flagged:
                scores: dict[str, float] = result.category_scores.model_dump(by_alias=True)
                return Rejection(field, max(scores, key=lambda category: scores[category] or 0))
        return None

    async def write_outline(self, brief: StoryBrief, *, author: str) -> Outline:
        """Plan the book; the answer is held to a schema."""
        form = None
        with _failures():
            async with self._client.responses.stream(
                model=self._text_model,
                instructions=prompts.OUTLINE_INSTRUCTIONS,
                input=prompts.outline_data(brief),
                text_format=OutlineForm,
                max_output_tokens=_OUTLINE_TOKENS,
                store=False,
                safety_identifier=_hashed(author),
            ) as stream:
                async for event in stream:
                    _require_going_on(event)
                    if event.type == "response.completed":
                        form = event.response.output_parsed
        if form is None:
            raise ProviderFailed("The outline did not come through.", retryable=True)
        return _outline(form, brief)

    async def write_scene(self, request: SceneRequest, *, author: str) -> AsyncGenerator[str, None]:
        """Write one scene; a stream that ends without its last event is a failure."""
        completed = False
        with _failures():
            async with self._client.responses.stream(
                model=self._text_model,
                instructions=prompts.SCENE_INSTRUCTIONS,
                input=prompts.scene_data(request),
                max_output_tokens=_SCENE_TOKENS,
                store=False,
                safety_identifier=_hashed(author),
            ) as stream:
                async for event in stream:
                    _require_going_on(event)
                    if event.type == "response.output_text.delta":
                        yield event.delta
                    completed = completed or event.type == "response.completed"
        if not completed:
            raise ProviderFailed("The text broke off.", retryable=True)

    async def draw(self, request: PictureRequest, *, author: str) -> Picture:
        """Draw one picture."""
        with _failures():
            answer = await self._client.images.generate(
                model=self._image_model,
                prompt=prompts.picture_prompt(request),
                size=f"{_PICTURE_EDGE}x{_PICTURE_EDGE}",
                output_format="png",
                n=1,
                safety_identifier=_hashed(author),
            )
        encoded = answer.data[0].b64_json if answer.data else None
        png = _decoded(encoded)
        width, height = _size(png)
        number = request.number
        shown = request.outline.title if number is None else request.outline.scenes[number - 1].picture
        return Picture(png, width, height, shown)


def _outline(form: OutlineForm, brief: StoryBrief) -> Outline:
    scenes = tuple(
        Scene(number, scene.summary, scene.picture) for number, scene in enumerate(form.scenes, start=1)
    )
    return Outline(
        title=form.title,
        subtitle=form.subtitle,
        blurb=form.blurb,
        dedication=brief.dedication or form.dedication,
        closing=form.closing,
        scenes=scenes,
    )


def _require_going_on(event: ResponseStreamEvent[Any]) -> None:
    """Turn the ways in which a stream tells of its failure into one: the client raises for none of them."""
    match event.type:
        case "error":
            raise _failure(event.code, event.message)
        case "response.failed":
            error = event.response.error
            raise _failure(error.code if error else None, error.message if error else "")
        case "response.incomplete":
            details = event.response.incomplete_details
            raise _failure(details.reason if details else None, "incomplete")
        case "response.completed":
            _require_no_refusal(event.response)


def _require_no_refusal(response: Response) -> None:
    for item in response.output:
        if item.type == "message" and any(part.type == "refusal" for part in item.content):
            raise ContentRefused("refusal")


def _failure(code: str | None, message: str) -> ProviderFailed:
    if code in _REFUSALS:
        return ContentRefused(code)
    return ProviderFailed(
        f"OpenAI could not answer ({code or message or 'no reason given'}).", retryable=True
    )


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what the client raises into our failures."""
    try:
        yield
    except APIConnectionError as error:
        raise ProviderFailed("OpenAI did not answer.", retryable=True) from error
    except APIStatusError as error:
        raise _of_status(error) from error
    except APIError as error:
        raise _failure(error.code, "broken off") from error
    except (OpenAIError, ValidationError, RuntimeError) as error:
        # The stream helper states a stream that makes no sense as a plain RuntimeError.
        raise ProviderFailed("OpenAI's answer could not be read.", retryable=True) from error


def _of_status(error: APIStatusError) -> ProviderFailed:
    if isinstance(error, BadRequestError) and error.code in _REFUSALS:
        return ContentRefused(str(error.code))
    out_of_credit = error.code == "insufficient_quota"
    retryable = (error.status_code in {408, 409, 429} or error.status_code >= 500) and not out_of_credit
    return ProviderFailed(
        f"OpenAI answered {error.status_code} ({error.code or 'no code'}).",
        retryable=retryable,
        retry_after=_retry_after(error.response.headers),
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
    return None


def _decoded(encoded: str | None) -> bytes:
    try:
        png = base64.b64decode(encoded or "", validate=True)
    except binascii.Error as error:
        raise ProviderFailed("The picture could not be read.", retryable=True) from error
    if not png.startswith(_PNG_SIGNATURE) or len(png) < _PNG_HEADER.size:
        raise ProviderFailed("The picture is not a PNG file.", retryable=True)
    return png


def _size(png: bytes) -> tuple[int, int]:
    _, width, height = _PNG_HEADER.unpack_from(png)
    return width, height


def _hashed(author: str) -> str:
    """The parent, as OpenAI may know it: the same each time, and nobody's name."""
    return hashlib.sha256(f"memorable:{author}".encode()).hexdigest()
