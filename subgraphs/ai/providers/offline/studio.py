"""The offline studio's writer, illustrator and moderator, which need no network."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping

from subgraphs.ai.providers.offline import NAME, moderation, writer
from subgraphs.ai.providers.offline.painter.picture import SIZE, paint
from subgraphs.ai.providers.ports import Picture, Review, Usage, WrittenOutline, WrittenScene
from subgraphs.ai.providers.story import PictureRequest, SceneRequest, StoryBrief

_WORD = re.compile(r"\S+\s*")


class OfflineWriter:
    """Writes from the grammar, streaming words at a readable pace.

    It ignores instructions; another take chooses other sentences.
    """

    def __init__(self, words_per_second: float) -> None:
        self._pause = 1 / words_per_second

    def supports_language(self, language: str) -> bool:
        """Whether the language is English."""
        return language.lower().split("-")[0] == "en"

    async def write_outline(self, brief: StoryBrief, *, author: str) -> WrittenOutline:
        """Plan the book."""
        del author
        return WrittenOutline(writer.write_outline(brief), Usage(NAME))

    async def write_scene(
        self, request: SceneRequest, *, author: str
    ) -> AsyncGenerator[str | WrittenScene, None]:
        """Write one scene, word by word."""
        del author
        text = writer.write_scene(request.brief, request.number, request.take, request.max_length)
        for word in _WORD.findall(text):
            await asyncio.sleep(self._pause)
            yield word
        yield WrittenScene(text, Usage(NAME))


class OfflineIllustrator:
    """Draws vector pictures. It ignores instructions; another take chooses another light."""

    async def draw(self, request: PictureRequest, *, author: str) -> Picture:
        """Draw one picture in a thread."""
        del author
        png = await asyncio.to_thread(paint, request.brief, request.number, request.take)
        alt_text = writer.describe(request.brief, request.number)
        return Picture(png, SIZE, SIZE, alt_text, Usage(NAME, images=1))


class OfflineModerator:
    """Moderates by a list of words."""

    async def moderate(self, texts: Mapping[str, str], *, author: str) -> Review:
        """Reject the first text with a listed word."""
        del author
        return Review(moderation.find_rejection(texts), Usage(NAME))
