"""A story as providers know it: its brief, its outline, and the requests for its texts and pictures."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import orjson

from subgraphs.common.pronouns import Pronouns


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
    """The parent's brief, for a story of `scenes` scenes.

    `edition` counts the earlier stories of the book, so that a new one differs.
    """

    hero: Hero
    wish: str
    theme: str
    language: str
    dedication: str | None
    scenes: int
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
