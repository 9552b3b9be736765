"""The protocol of providers that write and draw: its requests, results and errors."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Protocol, Self

import orjson

SCENES = 14
"""The number of scenes of a story, one for each spread of text and picture."""


class Pronouns(StrEnum):
    """The child's pronouns."""

    SHE = "SHE"
    HE = "HE"
    THEY = "THEY"


class Value:
    """An immutable value with a JSON form and a content hash."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """Convert to a JSON object."""
        data: dict[str, Any] = orjson.loads(orjson.dumps(asdict(self)))  # type: ignore[call-overload]  # every subclass is a dataclass
        return data

    def compute_digest(self) -> str:
        """Hash the canonical JSON form: SHA-256, in hex."""
        return hashlib.sha256(orjson.dumps(self.as_json(), option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Hero(Value):
    """The child as a provider may know it: with an age in years, but no date of birth."""

    name: str
    age: int
    pronouns: Pronouns
    appearance: str
    interests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoryBrief(Value):
    """The parent's brief. `edition` counts the earlier stories of the book, so that a new one differs."""

    hero: Hero
    wish: str
    theme: str
    language: str
    dedication: str | None
    edition: int = 0

    def with_edition(self, edition: int) -> Self:
        """Return the same brief for another edition."""
        return replace(self, edition=edition)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Read a brief that `as_json` has written."""
        hero = data["hero"]
        return cls(
            **data
            | {
                "hero": Hero(
                    **hero | {"pronouns": Pronouns(hero["pronouns"]), "interests": tuple(hero["interests"])}
                )
            }
        )


@dataclass(frozen=True, slots=True)
class Scene(Value):
    """One planned scene: what happens, and what its picture shows."""

    number: int
    summary: str
    picture: str


@dataclass(frozen=True, slots=True)
class Outline(Value):
    """The plan of a book."""

    title: str
    subtitle: str
    blurb: str
    dedication: str
    closing: str
    scenes: tuple[Scene, ...]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Read an outline that `as_json` has written."""
        return cls(**data | {"scenes": tuple(Scene(**scene) for scene in data["scenes"])})


@dataclass(frozen=True, slots=True)
class SceneRequest(Value):
    """A request for the text of one scene, of at most `max_length` characters.

    `take` counts the earlier versions of the text.
    """

    brief: StoryBrief
    outline: Outline
    number: int
    story_so_far: tuple[str, ...]
    max_length: int
    instruction: str | None = None
    take: int = 0


@dataclass(frozen=True, slots=True)
class PictureRequest(Value):
    """A request for one picture; `number` is the scene, or None for the cover.

    `take` counts the earlier versions. `cautious` asks for a more careful prompt, after a refusal.
    """

    brief: StoryBrief
    outline: Outline
    number: int | None
    instruction: str | None = None
    take: int = 0
    cautious: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: a PNG file in sRGB, with its size in pixels."""

    png: bytes
    width: int
    height: int
    alt_text: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rejected text: its field, and the provider's moderation category."""

    field: str
    category: str


class ProviderFailed(Exception):
    """The provider failed. `retry_after` is in seconds, if the provider stated it."""

    def __init__(self, message: str, *, retryable: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after


class ContentRefused(ProviderFailed):
    """The provider refused the content under a category of its policy."""

    def __init__(self, category: str) -> None:
        super().__init__(f"The content was refused ({category}).", retryable=True)
        self.category = category


class Provider(Protocol):
    """Writes, draws and moderates. Each method call makes one call to the service behind it."""

    def supports_language(self, language: str) -> bool:
        """Whether it writes stories in this language (a BCP 47 tag)."""
        ...

    async def moderate(self, texts: Mapping[str, str], *, author: str) -> Rejection | None:
        """Moderate a parent's texts, given by field name; return the first rejection.

        `author` is the parent's id; it is hashed before it is sent to the provider.
        """
        ...

    async def write_outline(self, brief: StoryBrief, *, author: str) -> Outline:
        """Plan the book: its title and all its scenes."""
        ...

    def write_scene(self, request: SceneRequest, *, author: str) -> AsyncGenerator[str, None]:
        """Write one scene, yielding its text as it arrives."""
        ...

    async def draw(self, request: PictureRequest, *, author: str) -> Picture:
        """Draw one picture."""
        ...
