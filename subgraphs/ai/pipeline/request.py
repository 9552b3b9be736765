"""The request of a generation, frozen when it is queued, and its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from subgraphs.ai.models import GenerationStep, StepKind, StepStatus
from subgraphs.ai.providers.story import Outline, StoryBrief
from subgraphs.common.ids import new_id


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """The brief and, for parts of a page, the outline and the story that the page belongs to.

    `story` has the current text of each scene. `take` counts the earlier generations of the page.
    """

    brief: StoryBrief
    outline: Outline | None = None
    story: tuple[str, ...] = ()
    instruction: str | None = None
    take: int = 0

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Read a request that `as_json` has written."""
        return cls(
            brief=StoryBrief.of(data["brief"]),
            outline=Outline.of(data["outline"]) if data["outline"] else None,
            story=tuple(data["story"]),
            instruction=data["instruction"],
            take=data["take"],
        )

    def as_json(self) -> dict[str, Any]:
        """Convert to the JSON object that is stored."""
        return {
            "brief": self.brief.as_json(),
            "outline": self.outline.as_json() if self.outline else None,
            "story": list(self.story),
            "instruction": self.instruction,
            "take": self.take,
        }


@dataclass(frozen=True, slots=True)
class ScenePage:
    """A page of the story: a scene has its text on the left and its picture on the right."""

    id: str
    number: int
    scene: int

    @property
    def is_left(self) -> bool:
        """Whether it is a left-hand page; the first page of a book is on the right."""
        return self.number % 2 == 0


def list_scene_pages(pages: Sequence[dict[str, Any]]) -> tuple[ScenePage, ...]:
    """List the pages of the story among all pages of a book, as the graph has them."""
    return tuple(
        ScenePage(page["id"], page["number"], page["scene"]) for page in pages if page["scene"] is not None
    )


def build_book_steps(generation_id: str, pages: Sequence[ScenePage]) -> list[GenerationStep]:
    """Build the steps of a whole book with these pages of the story."""
    plan: list[tuple[StepKind, ScenePage | None]] = [
        (StepKind.OUTLINE, None),
        *((StepKind.SCENE_TEXT, page) for page in pages if page.is_left),
        (StepKind.COVER, None),
        *((StepKind.ILLUSTRATION, page) for page in pages if not page.is_left),
    ]
    return _build_steps(generation_id, plan)


def build_page_steps(generation_id: str, page: ScenePage, kinds: Sequence[StepKind]) -> list[GenerationStep]:
    """Build the steps for parts of one page."""
    return _build_steps(generation_id, [(kind, page) for kind in kinds])


def _build_steps(
    generation_id: str, plan: Sequence[tuple[StepKind, ScenePage | None]]
) -> list[GenerationStep]:
    return [
        GenerationStep(
            id=new_id("stp"),
            generation_id=generation_id,
            position=position,
            kind=kind,
            scene=page.scene if page else None,
            page_id=page.id if page else None,
            page_number=page.number if page else None,
            status=StepStatus.PENDING,
            attempts=0,
            usage=[],
        )
        for position, (kind, page) in enumerate(plan, start=1)
    ]
