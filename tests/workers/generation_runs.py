"""Helpers of the generation tests: they create a draft book, queue its generation and read its state."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from subgraphs.ai import repository
from subgraphs.ai.models import Generation, GenerationStep
from subgraphs.ai.pipeline.journal import EVENT_ROWS, to_live_event
from subgraphs.ai.pipeline.request import ScenePage
from subgraphs.ai.providers.registry import choose_studio
from subgraphs.ai.providers.story import Hero, StoryBrief
from subgraphs.ai.service.generation import BookSource, queue_book_generation
from subgraphs.auth import service as auth
from subgraphs.auth.models import User
from subgraphs.books import repository as books_repository
from subgraphs.books import service as books
from subgraphs.books.models import Book, Child, Page, Theme
from subgraphs.common.clock import utc_now
from subgraphs.common.consent import ConsentPurpose
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.live import LiveEvent
from subgraphs.common.pronouns import Pronouns
from subgraphs.common.transitions import follow_until
from workers.platform import Platform

TERMINAL = {"GenerationCompleted", "GenerationFailed", "GenerationCancelled"}


@dataclass(frozen=True, slots=True)
class DraftBook:
    """A book without content, and the parent who created it."""

    parent: Identity
    book_id: str
    child_id: str
    page_ids: dict[int, str]
    brief: StoryBrief


async def create_parent(platform: Platform) -> Identity:
    """Create a parent who has consented to the use of AI."""
    parent = Identity(new_id("usr"), "ses_test", frozenset({"parent"}), "")
    async with platform.auth.unit_of_work() as uow:
        user = User(
            id=parent.user_id,
            email=f"{parent.user_id}@example.com",
            display_name="Ana",
            password_hash="",
            scopes=["parent"],
            created_at=utc_now(),
        )
        uow.session.add(user)
    await auth.record_consent(platform.auth, parent, ConsentPurpose.AI_PROCESSING, "2026-01")
    return parent


async def create_draft_book(
    platform: Platform, name: str = "Mia", parent: Identity | None = None
) -> DraftBook:
    """Create a child and a draft book, of a new parent unless one is given."""
    parent = parent or await create_parent(platform)
    async with platform.books.unit_of_work() as uow:
        child = Child(
            id=new_id("chd"),
            owner_id=parent.user_id,
            name=name,
            birth_month="2020-05",
            pronouns=Pronouns.SHE,
            appearance="brown curls and a red scarf",
            interests=["foxes"],
            created_at=utc_now(),
        )
        uow.session.add(child)
    brief = books.BriefDetails("to find a friend", Theme.ADVENTURE, "en", None)
    book = await books.create_book(platform.books, parent, child.id, brief)
    page_ids = {page.number: page.id for page in await read_pages(platform, book.id)}
    hero = Hero(name, 5, Pronouns.SHE, child.appearance, ("foxes",))
    story = StoryBrief(hero, "to find a friend", "ADVENTURE", "en", None, scenes=14)
    return DraftBook(parent, book.id, child.id, page_ids, story)


async def queue_book(platform: Platform, draft: DraftBook) -> str:
    """Queue a book's generation as the mutation does; return the generation's id."""
    pages = tuple(
        ScenePage(page.id, page.number, page.scene)
        for page in await read_pages(platform, draft.book_id)
        if page.scene is not None
    )
    source = BookSource(draft.book_id, draft.child_id, draft.brief, pages)
    studio = choose_studio(platform.ai)
    async with platform.ai.unit_of_work() as uow:
        generation = await queue_book_generation(uow, draft.parent, source, studio, limit=100)
    return generation.id


async def read_generation(platform: Platform, generation_id: str) -> Generation:
    """Read the generation's current row."""
    async with platform.ai.database.read() as session:
        found = await session.get(Generation, generation_id)
    assert found is not None
    return found


async def read_steps(platform: Platform, generation_id: str) -> list[GenerationStep]:
    """Read the current rows of the generation's steps."""
    async with platform.ai.database.read() as session:
        return (await repository.load_steps_of_generations(session, [generation_id]))[generation_id]


async def read_pages(platform: Platform, book_id: str) -> list[Page]:
    """Read the current rows of the book's pages."""
    async with platform.books.database.read() as session:
        return list((await books_repository.load_pages_of_books(session, [book_id]))[book_id])


async def read_durable_events(platform: Platform, generation_id: str) -> list[LiveEvent]:
    """Read the events stored in PostgreSQL."""
    async with platform.ai.database.read() as session:
        return [to_live_event(row) for row in await repository.list_events(session, generation_id, 0)]


async def read_book(platform: Platform, book_id: str) -> Book:
    """Read the book's current row."""
    async with platform.books.database.read() as session:
        return await books_repository.get_any_book(session, book_id)


async def follow_events(platform: Platform, generation_id: str, after: int = 0) -> AsyncGenerator[LiveEvent]:
    """Yield every event after a sequence number, up to and including the terminal one."""

    def is_last(event: LiveEvent) -> bool:
        return event.kind in TERMINAL

    events = follow_until(is_last, platform.ai, EVENT_ROWS, generation_id, after)
    async with aclosing(events):
        async for event in events:
            yield event


def join_text_deltas(seen: list[LiveEvent]) -> dict[str, str]:
    """Join the text of each written page from the deltas since its step last started."""
    texts: dict[str, str] = {}
    current: dict[str, str] = {}
    for event in seen:
        match event.kind:
            case "StepStarted" if event.data["page_id"]:
                current[event.data["page_id"]] = ""
            case "TextDelta":
                current[event.data["page_id"]] += event.data["text"]
            case "PageWritten":
                texts[event.data["page_id"]] = current[event.data["page_id"]]
    return texts


def count_kinds(seen: list[LiveEvent]) -> Counter[str]:
    """Count the events of each kind."""
    return Counter(event.kind for event in seen)
