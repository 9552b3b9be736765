"""The request of a generation, frozen when it was queued, and the steps that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from subgraphs.ai.models import GenerationStep, StepKind, StepStatus
from subgraphs.ai.providers.protocol import SCENES, Outline, StoryBrief
from subgraphs.common.ids import new_id


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """The brief; for parts of one page also the outline and the story that they belong to.

    `story` holds the text of each scene as the book has it now. `take` counts how often a page was made.
    """

    brief: StoryBrief
    outline: Outline | None = None
    story: tuple[str, ...] = ()
    instruction: str | None = None
    take: int = 0

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Rebuild a request from its JSON form."""
        return cls(
            brief=StoryBrief.of(data["brief"]),
            outline=Outline.of(data["outline"]) if data["outline"] else None,
            story=tuple(data["story"]),
            instruction=data["instruction"],
            take=data["take"],
        )

    def as_json(self) -> dict[str, Any]:
        """The request as JSON values."""
        return {
            "brief": self.brief.as_json(),
            "outline": self.outline.as_json() if self.outline else None,
            "story": list(self.story),
            "instruction": self.instruction,
            "take": self.take,
        }


def text_page(scene: int) -> int:
    """The number of the page with a scene's text."""
    return 2 * scene + 2


def picture_page(scene: int) -> int:
    """The number of the page with a scene's picture."""
    return 2 * scene + 3


def scene_of_page(number: int) -> int | None:
    """The scene that a page belongs to; None for the pages around the story."""
    scene = (number - 2) // 2
    return scene if 1 <= scene <= SCENES and number >= text_page(1) else None


def book_steps(generation_id: str, page_ids: dict[int, str]) -> list[GenerationStep]:
    """The steps of a whole book; `page_ids` are its pages by number."""
    texts = [(StepKind.SCENE_TEXT, text_page(scene)) for scene in range(1, SCENES + 1)]
    pictures = [(StepKind.ILLUSTRATION, picture_page(scene)) for scene in range(1, SCENES + 1)]
    plan: list[tuple[StepKind, int | None]] = [
        (StepKind.OUTLINE, None),
        *texts,
        (StepKind.COVER, None),
        *pictures,
    ]
    return _steps(generation_id, plan, page_ids)


def page_steps(
    generation_id: str, page_id: str, number: int, kinds: Sequence[StepKind]
) -> list[GenerationStep]:
    """The steps for parts of one page."""
    return _steps(generation_id, [(kind, number) for kind in kinds], {number: page_id})


def _steps(
    generation_id: str, plan: Sequence[tuple[StepKind, int | None]], page_ids: Mapping[int, str]
) -> list[GenerationStep]:
    return [
        GenerationStep(
            id=new_id("stp"),
            generation_id=generation_id,
            position=position,
            kind=kind,
            scene=scene_of_page(number) if number else None,
            page_id=page_ids[number] if number else None,
            page_number=number,
            status=StepStatus.PENDING,
            attempts=0,
        )
        for position, (kind, number) in enumerate(plan, start=1)
    ]
