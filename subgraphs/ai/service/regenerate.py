"""Asking for parts of one page anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from subgraphs.ai import repository
from subgraphs.ai.errors import NotGenerated
from subgraphs.ai.models import Generation, GenerationKind, StepKind
from subgraphs.ai.pipeline.request import GenerationRequest, page_steps, scene_of_page, text_page
from subgraphs.ai.providers.protocol import SCENES, Outline, Provider
from subgraphs.ai.service.consent import SELECTION, require_consent
from subgraphs.ai.service.generate import new_generation, queue
from subgraphs.ai.service.moderation import require_acceptable
from subgraphs.common.errors import BadUserInput
from subgraphs.common.graph import GraphClient
from subgraphs.common.identity import Identity
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.common.validation import clean_text

LONGEST_INSTRUCTION = 500

_PAGE = f"""
query PageToRegenerate($id: ID!) {{
  {SELECTION}
  page(id: $id) {{
    id number layout
    book {{ id child {{ id }} pages {{ number text }} }}
  }}
}}
"""


class PagePart(StrEnum):
    """A part of a page that can be made anew."""

    TEXT = "TEXT"
    ILLUSTRATION = "ILLUSTRATION"


_KINDS = {PagePart.TEXT: StepKind.SCENE_TEXT, PagePart.ILLUSTRATION: StepKind.ILLUSTRATION}
_PARTS_OF_LAYOUT = {
    "TEXT": {PagePart.TEXT},
    "FULL_BLEED": {PagePart.ILLUSTRATION},
    "TEXT_BELOW": {PagePart.TEXT, PagePart.ILLUSTRATION},
}


@dataclass(frozen=True, slots=True)
class PageTruth:
    """What the books domain knows of a page, and what is asked of it."""

    page_id: str
    book_id: str
    child_id: str
    number: int
    story: tuple[str, ...]
    kinds: tuple[StepKind, ...]
    instruction: str | None


async def ask_for_page(
    graph: GraphClient,
    provider: Provider,
    parent: Identity,
    page_id: str,
    parts: Sequence[PagePart],
    instruction: str | None,
) -> PageTruth:
    """Find the page and see that these parts of it may be made anew.

    ConsentRequired, ModerationRejected or BadUserInput when they may not.
    """
    parent.require("parent")
    wanted = None
    if instruction and instruction.strip():
        wanted = clean_text("instruction", instruction, longest=LONGEST_INSTRUCTION, lines=True)
    data = await graph.query(parent, _PAGE, {"id": page_id})
    require_consent(data)
    page, book = data["page"], data["page"]["book"]
    if scene_of_page(page["number"]) is None:
        raise BadUserInput("pageId", "Only the pages of the story can be made anew.")
    kinds = _kinds(parts, page["layout"])
    await require_acceptable(provider, {"instruction": wanted}, parent.user_id)
    texts = {other["number"]: other["text"] for other in book["pages"]}
    story = tuple(texts[text_page(number)] for number in range(1, SCENES + 1))
    return PageTruth(page["id"], book["id"], book["child"]["id"], page["number"], story, kinds, wanted)


async def start_page(
    uow: UnitOfWork, parent: Identity, truth: PageTruth, provider: str, limit: int
) -> Generation:
    """Queue the generation of a page; refused as one of a book is."""
    outline = await repository.newest_outline(uow.session, parent.user_id, truth.book_id)
    if outline is None or outline.result is None:
        raise NotGenerated
    origin = await repository.get_generation(uow.session, parent.user_id, outline.generation_id)
    request = GenerationRequest(
        brief=GenerationRequest.of(origin.request).brief,
        outline=Outline.of(outline.result),
        story=truth.story,
        instruction=truth.instruction,
        take=await repository.count_takes(uow.session, truth.book_id, truth.page_id),
    )
    generation = new_generation(uow, parent, truth.book_id, truth.child_id, request, provider)
    steps = page_steps(generation.id, truth.page_id, truth.number, truth.kinds)
    return await queue(uow, generation, GenerationKind.PAGE, steps, limit)


def _kinds(parts: Sequence[PagePart], layout: str) -> tuple[StepKind, ...]:
    if not parts:
        raise BadUserInput("parts", "Say which parts of the page are to be made anew.")
    for part in parts:
        if part not in _PARTS_OF_LAYOUT.get(layout, set()):
            raise BadUserInput("parts", f"A page with the layout {layout} has no {part.lower()}.")
    return tuple(kind for part, kind in _KINDS.items() if part in parts)
