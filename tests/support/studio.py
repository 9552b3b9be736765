"""A studio for tests: the offline one, with a record of its calls, and faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from subgraphs.ai.providers.offline.painter.stage import compose
from subgraphs.ai.providers.offline.studio import OfflineIllustrator, OfflineWriter
from subgraphs.ai.providers.ports import Illustrator, Picture, Usage, Writer, WrittenOutline
from subgraphs.ai.providers.story import PictureRequest


class Studio(Writer, Illustrator, Protocol):
    """A provider that both writes and illustrates."""


class RecordingStudio(OfflineWriter, OfflineIllustrator):
    """The offline studio, which records each call; its pictures stay SVG, which is quicker.

    `fault` is called with the kind and the number of each call, and may raise instead of an answer.
    """

    def __init__(
        self,
        fault: Callable[[str, int], None] = lambda _kind, _call: None,
        words_per_second: float = 2000,
    ) -> None:
        super().__init__(words_per_second=words_per_second)
        self.calls: list[tuple[str, int | None]] = []
        self._fault = fault

    async def write_outline(self, brief: Any, *, author: str) -> WrittenOutline:
        self._record("outline", None)
        return await super().write_outline(brief, author=author)

    async def write_scene(self, request: Any, *, author: str) -> Any:
        self._record("scene", request.number)
        async for part in super().write_scene(request, author=author):
            yield part

    async def draw(self, request: PictureRequest, *, author: str) -> Picture:
        self._record("picture", request.number)
        svg = compose(request.brief, request.number, request.take)
        return Picture(svg.encode(), 2625, 2625, "A picture.", Usage("offline", images=1))

    def _record(self, kind: str, number: int | None) -> None:
        self.calls.append((kind, number))
        self._fault(kind, len(self.calls))
