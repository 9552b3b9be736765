"""Regeneration of parts of one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from subgraphs.ai import repository
from subgraphs.ai.errors import NotGenerated
from subgraphs.ai.models import Generation, GenerationKind, StepKind
from subgraphs.ai.pipeline.request import (
    GenerationRequest,
    ScenePage,
    build_page_steps,
    list_scene_pages,
)
from subgraphs.ai.providers.ports import Moderator, Usage
from subgraphs.ai.providers.registry import MODERATORS, StudioNames, choose_studio
from subgraphs.ai.providers.story import Outline
from subgraphs.ai.service.generation import build_generation, get_limit, queue_generation
from subgraphs.ai.service.moderation import require_moderation
from subgraphs.common.consent import CONSENTS, ConsentPurpose, require_consent
from subgraphs.common.errors import BadUserInput
from subgraphs.common.identity import Identity
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.common.validation import clean_text

MAX_INSTRUCTION_LENGTH = 500

_PAGE = f"""
query PageToRegenerate($id: ID!) {{
  {CONSENTS}
  page(id: $id) {{
    id layout
    book {{ id child {{ id }} pages {{ id number scene text }} }}
  }}
}}
"""


class PagePart(StrEnum):
    """A part of a page that can be regenerated."""

    TEXT = "TEXT"
    ILLUSTRATION = "ILLUSTRATION"


_KINDS = {PagePart.TEXT: StepKind.SCENE_TEXT, PagePart.ILLUSTRATION: StepKind.ILLUSTRATION}
_PARTS_OF_LAYOUT = {
    "TEXT": {PagePart.TEXT},
    "FULL_BLEED": {PagePart.ILLUSTRATION},
    "TEXT_BELOW": {PagePart.TEXT, PagePart.ILLUSTRATION},
}


@dataclass(frozen=True, slots=True)
class PageSource:
    """A page to regenerate, as the books domain has it, and what to regenerate of it.

    `moderation` is what the moderation of the instruction used.
    """

    page: ScenePage
    book_id: str
    child_id: str
    story: tuple[str, ...]
    kinds: tuple[StepKind, ...]
    instruction: str | None
    moderation: Usage | None


async def regenerate_page(
    runtime: Runtime,
    parent: Identity,
    page_id: str,
    parts: Sequence[PagePart],
    instruction: str | None,
) -> Generation:
    """Queue the regeneration of parts of a page.

    It is refused with the errors of `generate_book`, and with NotGenerated when the book has no story yet.
    """
    parent.require("parent")
    cleaned = None
    if instruction and instruction.strip():
        cleaned = clean_text("instruction", instruction, max_length=MAX_INSTRUCTION_LENGTH, lines=True)
    studio = choose_studio(runtime)
    async with MODERATORS.open(runtime, studio.moderator) as moderator:
        page = await _fetch_page(runtime, moderator, parent, page_id, parts, cleaned)
    async with runtime.unit_of_work() as uow:
        return await _queue_page_generation(uow, parent, page, studio, get_limit(runtime))


async def _fetch_page(
    runtime: Runtime,
    moderator: Moderator,
    parent: Identity,
    page_id: str,
    parts: Sequence[PagePart],
    instruction: str | None,
) -> PageSource:
    """Query the page and check whether these parts of it may be regenerated."""
    data = await runtime.graph.query(parent, _PAGE, {"id": page_id})
    require_consent(data, ConsentPurpose.AI_PROCESSING)
    page, book = data["page"], data["page"]["book"]
    scene_pages = list_scene_pages(book["pages"])
    regenerated = next((each for each in scene_pages if each.id == page["id"]), None)
    if regenerated is None:
        raise BadUserInput("pageId", "Only the pages of the story can be regenerated.")
    kinds = _select_step_kinds(parts, page["layout"])
    moderation = await require_moderation(moderator, {"instruction": instruction}, parent.user_id)
    texts = {each["id"]: each["text"] for each in book["pages"]}
    story = tuple(texts[each.id] for each in scene_pages if each.is_left)
    return PageSource(regenerated, book["id"], book["child"]["id"], story, kinds, instruction, moderation)


async def _queue_page_generation(
    uow: UnitOfWork, parent: Identity, source: PageSource, studio: StudioNames, limit: int
) -> Generation:
    outline = await repository.find_newest_outline(uow.session, parent.user_id, source.book_id)
    if outline is None or outline.result is None:
        raise NotGenerated
    origin = await repository.get_generation(uow.session, parent.user_id, outline.generation_id)
    request = GenerationRequest(
        brief=GenerationRequest.of(origin.request).brief,
        outline=Outline.of(outline.result),
        story=source.story,
        instruction=source.instruction,
        take=await repository.count_takes(uow.session, source.book_id, source.page.id),
    )
    generation = build_generation(
        uow, parent, source.book_id, source.child_id, request, studio, source.moderation
    )
    steps = build_page_steps(generation.id, source.page, source.kinds)
    return await queue_generation(uow, generation, GenerationKind.PAGE, steps, limit)


def _select_step_kinds(parts: Sequence[PagePart], layout: str) -> tuple[StepKind, ...]:
    if not parts:
        raise BadUserInput("parts", "parts must name at least one part of the page.")
    for part in parts:
        if part not in _PARTS_OF_LAYOUT.get(layout, set()):
            raise BadUserInput("parts", f"A page with the layout {layout} has no {part.lower()}.")
    return tuple(kind for part, kind in _KINDS.items() if part in parts)
