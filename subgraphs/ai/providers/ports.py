"""The ports of the studio: a writer, an illustrator and a moderator, each of which any provider may be.

Each method makes one call to the service behind it, and its result says what the call used. `author` is the
parent's id; it is hashed before it is sent to a provider.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Protocol

from subgraphs.ai.providers.story import Outline, PictureRequest, SceneRequest, StoryBrief, Value


@dataclass(frozen=True, slots=True)
class Usage(Value):
    """What one call used; what its provider does not report is None.

    `model` is the one that answered, or that was asked where the answer does not say; `request_id` is the
    provider's own id of the request.
    """

    provider: str
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    images: int = 0
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenOutline:
    """A planned book."""

    outline: Outline
    usage: Usage


@dataclass(frozen=True, slots=True)
class WrittenScene:
    """The whole text of a scene."""

    text: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: a PNG file in sRGB, with its size in pixels."""

    png: bytes
    width: int
    height: int
    alt_text: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejected text: its field, and the provider's moderation category."""

    field: str
    category: str


@dataclass(frozen=True, slots=True)
class Review:
    """The first rejection among moderated texts, if there is one."""

    rejection: Rejection | None
    usage: Usage


class ProviderFailed(Exception):
    """The provider failed. `retry_after` is in seconds, if the provider stated it.

    `usage` is what the failed call used, if the provider had begun to answer it.
    """

    def __init__(
        self, message: str, *, retryable: bool, retry_after: float | None = None, usage: Usage | None = None
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after
        self.usage = usage


class ContentRefused(ProviderFailed):
    """The provider refused the content under a category of its policy."""

    def __init__(self, category: str) -> None:
        super().__init__(f"The content was refused ({category}).", retryable=True)
        self.category = category


class Writer(Protocol):
    """Writes stories."""

    def supports_language(self, language: str) -> bool:
        """Whether it writes stories in this language (a BCP 47 tag)."""
        ...

    async def write_outline(self, brief: StoryBrief, *, author: str) -> WrittenOutline:
        """Plan the book: its title and all its scenes."""
        ...

    def write_scene(self, request: SceneRequest, *, author: str) -> AsyncGenerator[str | WrittenScene, None]:
        """Write one scene, yielding the pieces of its text as they arrive and, last, the whole."""
        ...


class Illustrator(Protocol):
    """Draws pictures."""

    async def draw(self, request: PictureRequest, *, author: str) -> Picture:
        """Draw one picture."""
        ...


class Moderator(Protocol):
    """Moderates what parents write."""

    async def moderate(self, texts: Mapping[str, str], *, author: str) -> Review:
        """Moderate texts, given by field name."""
        ...
