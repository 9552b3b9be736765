"""What the pipeline asks of a provider, and what it gets back."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Protocol, Self

import orjson

SCENES = 14
"""How many scenes a story has: one for each spread of text and picture."""


class Pronouns(StrEnum):
    """How the child is spoken of."""

    SHE = "SHE"
    HE = "HE"
    THEY = "THEY"


class Value:
    """A frozen record with a JSON form and a hash of it."""

    __slots__ = ()

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON values."""
        data: dict[str, Any] = orjson.loads(orjson.dumps(asdict(self)))  # type: ignore[call-overload]  # every subclass is a dataclass
        return data

    def digest(self) -> str:
        """SHA-256 of the content, the same on every machine."""
        return hashlib.sha256(orjson.dumps(self.as_json(), option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Hero(Value):
    """The child, with no more than a story and a picture need: an age, never a date of birth."""

    name: str
    age: int
    pronouns: Pronouns
    appearance: str
    interests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoryBrief(Value):
    """What the parent asked for. `edition` counts a book's stories, so that a second one is another."""

    hero: Hero
    wish: str
    theme: str
    language: str
    dedication: str | None
    edition: int = 0

    def for_edition(self, edition: int) -> Self:
        """The same brief for another of the book's stories."""
        return replace(self, edition=edition)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Rebuild a brief from its JSON form."""
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
    """One scene as planned: what happens, and what is to be seen."""

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
        """Rebuild an outline from its JSON form."""
        return cls(**data | {"scenes": tuple(Scene(**scene) for scene in data["scenes"])})


@dataclass(frozen=True, slots=True)
class SceneRequest(Value):
    """Ask for the text of one scene, of at most `longest` characters.

    `take` counts how often it was written before.
    """

    brief: StoryBrief
    outline: Outline
    number: int
    story_so_far: tuple[str, ...]
    longest: int
    instruction: str | None = None
    take: int = 0


@dataclass(frozen=True, slots=True)
class PictureRequest(Value):
    """Ask for one picture; `number` is the scene, or None for the cover.

    `cautious` asks for plainer words towards the provider, after it refused the usual ones.
    """

    brief: StoryBrief
    outline: Outline
    number: int | None
    instruction: str | None = None
    take: int = 0
    cautious: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture, as a PNG file in sRGB."""

    png: bytes
    width: int
    height: int
    alt_text: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a text is not accepted: the field it came in, and the category that the provider names."""

    field: str
    category: str


class ProviderFailed(Exception):
    """The provider could not do it; when `retryable` it may be asked again, after the pause it names."""

    def __init__(self, message: str, *, retryable: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after


class ContentRefused(ProviderFailed):
    """The provider refuses the content, by the category it gives."""

    def __init__(self, category: str) -> None:
        super().__init__(f"The content was refused ({category}).", retryable=True)
        self.category = category


class Provider(Protocol):
    """Writes, draws and judges. One call of a method is one call of the service behind it."""

    name: str

    def writes(self, language: str) -> bool:
        """Whether it writes stories in this language (a BCP 47 tag)."""
        ...

    async def moderate(self, texts: Mapping[str, str], *, author: str) -> Rejection | None:
        """Judge what a parent wrote, by field: the first rejection, or None.

        `author` identifies the parent towards the provider; it is hashed before it leaves.
        """
        ...

    async def write_outline(self, brief: StoryBrief, *, author: str) -> Outline:
        """Plan the book: its title and all its scenes."""
        ...

    def write_scene(self, request: SceneRequest, *, author: str) -> AsyncGenerator[str, None]:
        """Write one scene, piece by piece as it comes."""
        ...

    async def draw(self, request: PictureRequest, *, author: str) -> Picture:
        """Draw one picture."""
        ...
