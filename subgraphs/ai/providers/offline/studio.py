"""The offline studio's implementation of the provider protocol."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping

from subgraphs.ai.providers.offline import moderation, writer
from subgraphs.ai.providers.offline.painter.picture import SIZE, paint
from subgraphs.ai.providers.protocol import (
    Outline,
    Picture,
    PictureRequest,
    Rejection,
    SceneRequest,
    StoryBrief,
)

_WORD = re.compile(r"\S+\s*")


class OfflineStudio:
    """Writes and draws without a network, streaming words at a readable pace.

    It ignores instructions; another take chooses other sentences and another light.
    """

    def __init__(self, words_per_second: float) -> None:
        self._pause = 1 / words_per_second

    def supports_language(self, language: str) -> bool:
        """Whether the language is English."""
        return language.lower().split("-")[0] == "en"

    async def moderate(self, texts: Mapping[str, str], *, author: str) -> Rejection | None:
        """Reject texts that contain words from the moderation list."""
        del author
        return moderation.review(texts)

    async def write_outline(self, brief: StoryBrief, *, author: str) -> Outline:
        """Plan the book."""
        del author
        return writer.write_outline(brief)

    async def write_scene(self, request: SceneRequest, *, author: str) -> AsyncGenerator[str, None]:
        """Write one scene, word by word."""
        del author
        text = writer.write_scene(request.brief, request.number, request.take, request.max_length)
        for word in _WORD.findall(text):
            await asyncio.sleep(self._pause)
            yield word

    async def draw(self, request: PictureRequest, *, author: str) -> Picture:
        """Draw one picture in a thread."""
        del author
        png = await asyncio.to_thread(paint, request.brief, request.number, request.take)
        return Picture(png, SIZE, SIZE, writer.describe(request.brief, request.number))
