"""Generation of a whole book."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from subgraphs.ai import repository
from subgraphs.ai.errors import GenerationLimitReached, GenerationRunning
from subgraphs.ai.jobs import GenerateBook
from subgraphs.ai.models import Generation, GenerationKind, GenerationStep
from subgraphs.ai.pipeline.request import (
    GenerationRequest,
    ScenePage,
    build_book_steps,
    list_scene_pages,
)
from subgraphs.ai.providers.ports import Moderator, Usage, Writer
from subgraphs.ai.providers.registry import MODERATORS, WRITERS, StudioNames, choose_studio
from subgraphs.ai.providers.story import Hero, StoryBrief
from subgraphs.ai.service.moderation import require_moderation
from subgraphs.ai.settings import Settings
from subgraphs.ai.states import GenerationStatus
from subgraphs.common.consent import CONSENTS, ConsentPurpose, require_consent
from subgraphs.common.errors import BadUserInput
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.pronouns import Pronouns
from subgraphs.common.runtime import Runtime
from subgraphs.common.unit_of_work import UnitOfWork

_BOOK = f"""
query BookToGenerate($id: ID!) {{
  {CONSENTS}
  book(id: $id) {{
    id
    brief {{ wish theme language dedication }}
    child {{ id name birthMonth pronouns appearance interests }}
    pages {{ id number scene }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class BookSource:
    """A book to generate, as the books domain has it; `pages` are those of its story.

    `moderation` is what the moderation of its brief used.
    """

    book_id: str
    child_id: str
    brief: StoryBrief
    pages: tuple[ScenePage, ...]
    moderation: Usage | None = None


async def generate_book(runtime: Runtime, parent: Identity, book_id: str) -> Generation:
    """Queue the generation of a whole book.

    ConsentRequired, ModerationRejected or BadUserInput when the book must not be generated, GenerationRunning
    when it is being generated, GenerationLimitReached when too many other books of the parent are.
    """
    parent.require("parent")
    studio = choose_studio(runtime)
    async with (
        WRITERS.open(runtime, studio.writer) as writer,
        MODERATORS.open(runtime, studio.moderator) as moderator,
    ):
        book = await _fetch_book(runtime, writer, moderator, parent, book_id)
    async with runtime.unit_of_work() as uow:
        return await queue_book_generation(uow, parent, book, studio, get_limit(runtime))


async def queue_book_generation(
    uow: UnitOfWork, parent: Identity, book: BookSource, studio: StudioNames, limit: int
) -> Generation:
    """Queue the generation of a book that has passed all checks.

    GenerationRunning when one is active already, GenerationLimitReached when `limit` of other books are.
    """
    edition = await repository.count_generations(uow.session, book.book_id, GenerationKind.BOOK)
    request = GenerationRequest(book.brief.with_edition(edition))
    generation = build_generation(uow, parent, book.book_id, book.child_id, request, studio, book.moderation)
    steps = build_book_steps(generation.id, book.pages)
    return await queue_generation(uow, generation, GenerationKind.BOOK, steps, limit)


def build_generation(
    uow: UnitOfWork,
    parent: Identity,
    book_id: str,
    child_id: str,
    request: GenerationRequest,
    studio: StudioNames,
    moderation: Usage | None,
) -> Generation:
    """Build a generation that waits for a runner."""
    return Generation(
        id=new_id("gen"),
        owner_id=parent.user_id,
        book_id=book_id,
        child_id=child_id,
        status=GenerationStatus.QUEUED,
        writer=studio.writer,
        illustrator=studio.illustrator,
        moderator=studio.moderator,
        moderation_usage=moderation.as_json() if moderation else None,
        request=request.as_json(),
        lease=0,
        last_sequence=0,
        created_at=uow.now,
    )


async def queue_generation(
    uow: UnitOfWork, generation: Generation, kind: GenerationKind, steps: list[GenerationStep], limit: int
) -> Generation:
    """Store a generation with its steps and enqueue it, if the parent has fewer than `limit` active ones.

    A lock on the parent prevents concurrent requests from exceeding the limit together.
    """
    generation.kind = kind
    await repository.lock_owner(uow.session, generation.owner_id)
    active = await repository.list_active_generations(uow.session, generation.owner_id)
    if running := next((other for other in active if other.book_id == generation.book_id), None):
        raise GenerationRunning(running.id)
    if len(active) >= limit:
        raise GenerationLimitReached(limit)
    uow.session.add(generation)
    await uow.session.flush()
    uow.session.add_all(steps)
    await uow.enqueue(GenerateBook(generation.id), owner_id=generation.owner_id)
    return generation


def get_limit(runtime: Runtime) -> int:
    """Get the number of generations of one parent that may wait or run at a time."""
    return runtime.get_settings(Settings).ai_generations_per_parent


async def _fetch_book(
    runtime: Runtime, writer: Writer, moderator: Moderator, parent: Identity, book_id: str
) -> BookSource:
    """Query the book and check whether it may be generated."""
    data = await runtime.graph.query(parent, _BOOK, {"id": book_id})
    require_consent(data, ConsentPurpose.AI_PROCESSING)
    book, child, stored_brief = data["book"], data["book"]["child"], data["book"]["brief"]
    if not writer.supports_language(stored_brief["language"]):
        raise BadUserInput(
            "brief.language", f"Stories in {stored_brief['language']!r} cannot be written yet."
        )
    moderation = await require_moderation(
        moderator,
        {
            "wish": stored_brief["wish"],
            "dedication": stored_brief["dedication"],
            "child.name": child["name"],
            "child.appearance": child["appearance"],
            "child.interests": ", ".join(child["interests"]),
        },
        parent.user_id,
    )
    hero = Hero(
        name=child["name"],
        age=compute_age(child["birthMonth"], runtime.clock()),
        pronouns=Pronouns(child["pronouns"]),
        appearance=child["appearance"],
        interests=tuple(child["interests"]),
    )
    pages = list_scene_pages(book["pages"])
    brief = StoryBrief(
        hero=hero,
        wish=stored_brief["wish"],
        theme=stored_brief["theme"],
        language=stored_brief["language"],
        dedication=stored_brief["dedication"],
        scenes=max(page.scene for page in pages),
    )
    return BookSource(book["id"], child["id"], brief, pages, moderation)


def compute_age(birth_month: str, now: datetime) -> int:
    """Compute the age in years from the year and month of birth, such as `2020-05`."""
    year, month = (int(part) for part in birth_month.split("-"))
    return max(0, now.year - year - (now.month < month))
