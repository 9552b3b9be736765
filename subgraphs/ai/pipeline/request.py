"""The request of a generation, frozen when it is queued, and its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from subgraphs.ai.models import GenerationStep, StepKind, StepStatus
from subgraphs.ai.providers.story import Outline, StoryBrief
from subgraphs.common.ids import new_id
from subgraphs.common.scenes import SCENES, find_scene_of_page, get_picture_page, get_text_page


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


def build_book_steps(generation_id: str, page_ids: dict[int, str]) -> list[GenerationStep]:
    """Build the steps of a whole book; `page_ids` are the ids of its pages by number."""
    texts = [(StepKind.SCENE_TEXT, get_text_page(scene)) for scene in range(1, SCENES + 1)]
    pictures = [(StepKind.ILLUSTRATION, get_picture_page(scene)) for scene in range(1, SCENES + 1)]
    plan: list[tuple[StepKind, int | None]] = [
        (StepKind.OUTLINE, None),
        *texts,
        (StepKind.COVER, None),
        *pictures,
    ]
    return _build_steps(generation_id, plan, page_ids)


def build_page_steps(
    generation_id: str, page_id: str, number: int, kinds: Sequence[StepKind]
) -> list[GenerationStep]:
    """Build the steps for parts of one page."""
    return _build_steps(generation_id, [(kind, number) for kind in kinds], {number: page_id})


def _build_steps(
    generation_id: str, plan: Sequence[tuple[StepKind, int | None]], page_ids: Mapping[int, str]
) -> list[GenerationStep]:
    return [
        GenerationStep(
            id=new_id("stp"),
            generation_id=generation_id,
            position=position,
            kind=kind,
            scene=find_scene_of_page(number) if number else None,
            page_id=page_ids[number] if number else None,
            page_number=number,
            status=StepStatus.PENDING,
            attempts=0,
            usage=[],
        )
        for position, (kind, number) in enumerate(plan, start=1)
    ]
