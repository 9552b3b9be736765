"""The OpenAI provider, on the official client."""

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
    """The required JSON form of a scene."""

    summary: str
    picture: str


class OutlineForm(BaseModel):
    """The required JSON form of an outline."""

    title: str
    subtitle: str
    blurb: str
    dedication: str
    closing: str
    scenes: list[SceneForm] = Field(min_length=SCENES, max_length=SCENES)


@asynccontextmanager
async def open_openai(settings: Settings) -> AsyncIterator[OpenAIProvider]:
    """Open a provider, and close its client on exit.

    The client does not retry: the generation's step does, after checking whether it was cancelled.
    """
    async with AsyncOpenAI(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        max_retries=0,
        timeout=_TIMEOUT_SECONDS,
    ) as client:
        yield OpenAIProvider(client, settings.openai_text_model, settings.openai_image_model)


class OpenAIProvider:
    """Writes and draws with the configured models; OpenAI is asked not to store responses."""

    def __init__(self, client: AsyncOpenAI, text_model: str, image_model: str) -> None:
        self._client = client
        self._text_model = text_model
        self._image_model = image_model

    def supports_language(self, language: str) -> bool:
        """Whether a language is given: the models write any."""
        return bool(language)

    async def moderate(self, texts: Mapping[str, str], *, author: str) -> Rejection | None:
        """Moderate all texts in one call; a flagged text is rejected under its highest-scoring category."""
        del author
        with _translate_errors():
            response = await self._client.moderations.create(
                model=_MODERATION_MODEL, input=list(texts.values())
            )
        for field, result in zip(texts, response.results, strict=True):
            if result.flagged:
                scores: dict[str, float] = result.category_scores.model_dump(by_alias=True)
                return Rejection(field, max(scores, key=lambda category: scores[category] or 0))
        return None

    async def write_outline(self, brief: StoryBrief, *, author: str) -> Outline:
        """Plan the book as structured output."""
        form = None
        with _translate_errors():
            async with self._client.responses.stream(
                model=self._text_model,
                instructions=prompts.OUTLINE_INSTRUCTIONS,
                input=prompts.build_outline_data(brief),
                text_format=OutlineForm,
                max_output_tokens=_OUTLINE_TOKENS,
                store=False,
                safety_identifier=_hash_author(author),
            ) as stream:
                async for event in stream:
                    _raise_for_event(event)
                    if event.type == "response.completed":
                        form = event.response.output_parsed
        if form is None:
            raise ProviderFailed("OpenAI returned no outline.", retryable=True)
        return _build_outline(form, brief)

    async def write_scene(self, request: SceneRequest, *, author: str) -> AsyncGenerator[str, None]:
        """Write one scene; a stream without its final event is a failure."""
        completed = False
        with _translate_errors():
            async with self._client.responses.stream(
                model=self._text_model,
                instructions=prompts.SCENE_INSTRUCTIONS,
                input=prompts.build_scene_data(request),
                max_output_tokens=_SCENE_TOKENS,
                store=False,
                safety_identifier=_hash_author(author),
            ) as stream:
                async for event in stream:
                    _raise_for_event(event)
                    if event.type == "response.output_text.delta":
                        yield event.delta
                    completed = completed or event.type == "response.completed"
        if not completed:
            raise ProviderFailed("OpenAI's text ended early.", retryable=True)

    async def draw(self, request: PictureRequest, *, author: str) -> Picture:
        """Draw one picture."""
        with _translate_errors():
            response = await self._client.images.generate(
                model=self._image_model,
                prompt=prompts.build_picture_prompt(request),
                size=f"{_PICTURE_EDGE}x{_PICTURE_EDGE}",
                output_format="png",
                n=1,
                safety_identifier=_hash_author(author),
            )
        encoded = response.data[0].b64_json if response.data else None
        png = _decode_png(encoded)
        width, height = _read_png_size(png)
        number = request.number
        alt_text = request.outline.title if number is None else request.outline.scenes[number - 1].picture
        return Picture(png, width, height, alt_text)


def _build_outline(form: OutlineForm, brief: StoryBrief) -> Outline:
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


def _raise_for_event(event: ResponseStreamEvent[Any]) -> None:
    """Raise for an event that reports a failure; the client itself raises for none of them."""
    match event.type:
        case "error":
            raise _build_failure(event.code, event.message)
        case "response.failed":
            error = event.response.error
            raise _build_failure(error.code if error else None, error.message if error else "")
        case "response.incomplete":
            details = event.response.incomplete_details
            raise _build_failure(details.reason if details else None, "incomplete")
        case "response.completed":
            _raise_for_refusal(event.response)


def _raise_for_refusal(response: Response) -> None:
    for item in response.output:
        if item.type == "message" and any(part.type == "refusal" for part in item.content):
            raise ContentRefused("refusal")


def _build_failure(code: str | None, message: str) -> ProviderFailed:
    if code in _REFUSALS:
        return ContentRefused(code)
    return ProviderFailed(
        f"OpenAI reported a failure ({code or message or 'no reason given'}).", retryable=True
    )


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Translate the client's exceptions into `ProviderFailed`."""
    try:
        yield
    except APIConnectionError as error:
        raise ProviderFailed("OpenAI did not respond.", retryable=True) from error
    except APIStatusError as error:
        raise _convert_status_error(error) from error
    except APIError as error:
        raise _build_failure(error.code, "the stream was interrupted") from error
    except (OpenAIError, ValidationError, RuntimeError) as error:
        # The streaming helper raises a plain RuntimeError for an inconsistent stream.
        raise ProviderFailed("OpenAI's response could not be read.", retryable=True) from error


def _convert_status_error(error: APIStatusError) -> ProviderFailed:
    if isinstance(error, BadRequestError) and error.code in _REFUSALS:
        return ContentRefused(str(error.code))
    out_of_credit = error.code == "insufficient_quota"
    retryable = (error.status_code in {408, 409, 429} or error.status_code >= 500) and not out_of_credit
    return ProviderFailed(
        f"OpenAI responded with {error.status_code} ({error.code or 'no code'}).",
        retryable=retryable,
        retry_after=_parse_retry_after(error.response.headers),
    )


def _parse_retry_after(headers: Mapping[str, str]) -> float | None:
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
    return None


def _decode_png(encoded: str | None) -> bytes:
    try:
        png = base64.b64decode(encoded or "", validate=True)
    except binascii.Error as error:
        raise ProviderFailed("The picture could not be read.", retryable=True) from error
    if not png.startswith(_PNG_SIGNATURE) or len(png) < _PNG_HEADER.size:
        raise ProviderFailed("The picture is not a PNG file.", retryable=True)
    return png


def _read_png_size(png: bytes) -> tuple[int, int]:
    _, width, height = _PNG_HEADER.unpack_from(png)
    return width, height


def _hash_author(author: str) -> str:
    """Hash the parent's id to a stable pseudonym, for OpenAI's `safety_identifier`."""
    return hashlib.sha256(f"memorable:{author}".encode()).hexdigest()
