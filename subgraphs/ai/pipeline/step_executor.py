"""Execution of a step by one call of the writer or the illustrator."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from obstore.exceptions import BaseError

from subgraphs.ai.models import GenerationStep, StepKind
from subgraphs.ai.pipeline.request import GenerationRequest
from subgraphs.ai.providers.ports import Illustrator, ProviderFailed, Usage, Writer, WrittenScene
from subgraphs.ai.providers.story import Outline, PictureRequest, SceneRequest, StoryBrief
from subgraphs.common.storage import Storage
from subgraphs.common.telemetry import get_logger

Result = TypeVar("Result")
ProviderRequest = StoryBrief | SceneRequest | PictureRequest
SendDelta = Callable[[str], Awaitable[None]]
_STORE_PAUSES = (0.5, 1, 2, 4, 8, 15, 30)
"""The seconds between attempts to store a picture."""
_MAX_LENGTHS = {"title": 80, "subtitle": 100, "blurb": 400, "closing": 180}


class PictureNotStored(Exception):
    """The object store could not store a picture in any of the attempts."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a step, as its row keeps it, and what the call used."""

    data: dict[str, Any]
    usage: Usage


@dataclass(slots=True)
class Story:
    """The story so far: the outline, and the text of each finished scene."""

    outline: Outline | None
    texts: dict[int, str] = field(default_factory=dict)

    def get_texts_before(self, scene: int) -> tuple[str, ...]:
        """Get the texts of the scenes before a scene."""
        return tuple(self.texts[number] for number in sorted(self.texts) if number < scene)

    def add(self, step: GenerationStep) -> None:
        """Add the result of a finished step."""
        if step.result is None:
            return
        if step.kind is StepKind.OUTLINE:
            self.outline = Outline.of(step.result)
        elif step.kind is StepKind.SCENE_TEXT and step.scene is not None:
            self.texts[step.scene] = step.result["text"]


class StepExecutor:
    """Runs steps with a generation's writer and illustrator, and checks and stores the results."""

    def __init__(
        self,
        writer: Writer,
        illustrator: Illustrator,
        storage: Storage,
        request: GenerationRequest,
        author: str,
    ) -> None:
        self._writer = writer
        self._illustrator = illustrator
        self._storage = storage
        self._request = request
        self._author = author

    def build_request(self, step: GenerationStep, story: Story, max_length: int) -> ProviderRequest:
        """Build the provider request of a step; `max_length` is that of a text, in characters."""
        request = self._request
        if step.kind is StepKind.OUTLINE:
            return request.brief
        assert story.outline is not None
        if step.kind is StepKind.SCENE_TEXT:
            assert step.scene is not None
            return SceneRequest(
                request.brief,
                story.outline,
                step.scene,
                story.get_texts_before(step.scene),
                max_length,
                request.instruction,
                request.take,
            )
        return PictureRequest(request.brief, story.outline, step.scene, request.instruction, request.take)

    async def write_outline(self, brief: StoryBrief) -> StepResult:
        """Plan the book."""
        written = await _guard(self._writer.write_outline(brief, author=self._author))
        outline, usage = written.outline, written.usage
        if [scene.number for scene in outline.scenes] != list(range(1, brief.scenes + 1)):
            raise ProviderFailed(
                f"The outline does not have its {brief.scenes} scenes.", retryable=True, usage=usage
            )
        if any(len(getattr(outline, part)) > limit for part, limit in _MAX_LENGTHS.items()):
            raise ProviderFailed("The outline was too long for its pages.", retryable=True, usage=usage)
        return StepResult(outline.as_json(), usage)

    async def write_text(self, request: SceneRequest, send: SendDelta) -> StepResult:
        """Write a scene and send each piece of its text as it arrives."""
        written = None
        async with aclosing(_guard_parts(self._writer.write_scene(request, author=self._author))) as parts:
            async for part in parts:
                if isinstance(part, WrittenScene):
                    written = part
                else:
                    await send(part)
        if written is None:
            raise ProviderFailed("The text ended early.", retryable=True)
        text, usage = written.text, written.usage
        if not text.strip():
            raise ProviderFailed("The page came back empty.", retryable=True, usage=usage)
        if len(text) > request.max_length:
            raise ProviderFailed("The text was too long for its page.", retryable=True, usage=usage)
        return StepResult({"text": text}, usage)

    async def draw_picture(self, request: PictureRequest, key: str, *, cautious: bool) -> StepResult:
        """Draw a picture and store it."""
        request = replace(request, cautious=cautious)
        picture = await _guard(self._illustrator.draw(request, author=self._author))
        await self._store(key, picture.png)
        data = {
            "storage_key": key,
            "sha256": hashlib.sha256(picture.png).hexdigest(),
            "width": picture.width,
            "height": picture.height,
            "alt_text": picture.alt_text,
        }
        return StepResult(data, picture.usage)

    async def _store(self, key: str, content: bytes) -> None:
        """Store a picture, with pauses while the store does not take it: to draw it again would cost more."""
        for pause in (*_STORE_PAUSES, None):
            try:
                await self._storage.put(key, content)
            except (OSError, BaseError) as error:
                if pause is None:
                    raise PictureNotStored("The picture could not be stored.") from error
                get_logger().warning("A picture could not be stored yet", key=key, error=error)
                await asyncio.sleep(pause)
            else:
                return


async def _guard(call: Awaitable[Result]) -> Result:
    try:
        return await call
    except ProviderFailed:
        raise
    except Exception as error:
        raise _convert_failure(error) from error


async def _guard_parts(
    parts: AsyncGenerator[str | WrittenScene, None],
) -> AsyncGenerator[str | WrittenScene, None]:
    try:
        async with aclosing(parts):
            async for part in parts:
                yield part
    except ProviderFailed:
        raise
    except Exception as error:
        raise _convert_failure(error) from error


def _convert_failure(error: Exception) -> ProviderFailed:
    """Log an unexpected error and convert it, so that it fails only one step."""
    get_logger().error("The provider failed unexpectedly", exc_info=error)
    return ProviderFailed("The provider could not complete this step.", retryable=True)
