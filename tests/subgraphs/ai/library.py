"""Shared helpers of the ai tests: a book that the graph knows, a parent, and a fake writer and studio."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from subgraphs.ai.pipeline.book_writer import StoredPicture
from subgraphs.ai.pipeline.runner import run_generation
from subgraphs.ai.providers.story import Outline
from subgraphs.common.errors import NotFound
from subgraphs.common.ids import new_id
from tests.support.studio import Studio
from tests.support.subgraph import Answer, SubgraphClient
from tests.support.tokens import sign_token

GENERATION = "id kind status provider stepsDone stepsTotal lastSequence failure book { id }"
RESULT = f"""
    __typename
    ... on Generation {{ {GENERATION} steps {{ id kind status attempts page {{ id number }} }} }}
    ... on ConsentRequired {{ purpose message }}
    ... on GenerationRunning {{ message generation {{ id status }} }}
    ... on ModerationRejected {{ stage field category retryable message }}
"""
GENERATE = f"mutation ($id: ID!) {{ generateBook(input: {{bookId: $id}}) {{ {RESULT} }} }}"
REGENERATE = f"mutation ($input: RegeneratePageInput!) {{ regeneratePage(input: $input) {{ {RESULT} }} }}"
CANCEL = f"mutation ($id: ID!) {{ cancelGeneration(id: $id) {{ {GENERATION} }} }}"
READ = f"query ($id: ID!) {{ generation(id: $id) {{ {GENERATION} steps {{ kind status attempts }} }} }}"
WATCH = """
subscription ($id: ID!, $after: Int!) {
  generation(id: $id, after: $after) {
    __typename sequence at generation { id status stepsDone }
    ... on StepStarted { step { id kind attempts page { id } } }
    ... on TextDelta { page { id number } text }
    ... on OutlineWritten { title book { id } }
    ... on PageWritten { page { id number } }
    ... on IllustrationReady { page { id number } illustration { id } }
    ... on StepFailed { step { kind } message retrying }
    ... on GenerationCompleted { book { id } }
    ... on GenerationFailed { message }
  }
}"""


def find_layout(number: int, page_count: int) -> str:
    """Finds the layout of a page of a new book."""
    around = {1: "TITLE", 2: "IMPRINT", 3: "DEDICATION", page_count: "CLOSING"}
    return around.get(number, "TEXT" if number % 2 == 0 else "FULL_BLEED")


def build_book_answers(page_count: int = 32, **changes: Any) -> dict[str, Any]:
    """Builds graph answers in which every book id exists; `changes` go into its brief and its child."""
    child = {
        "id": new_id("chd"),
        "name": "Mia",
        "birthMonth": "2020-05",
        "pronouns": "SHE",
        "appearance": "brown curls and a red scarf",
        "interests": ["foxes"],
    }
    brief = {"wish": "to find a friend", "theme": "ADVENTURE", "language": "en", "dedication": None}
    for name, value in changes.items():
        (child if name in child else brief)[name] = value

    def book(arguments: Mapping[str, Any]) -> dict[str, Any]:
        id = arguments["id"]
        pages = [
            {
                "id": f"{id}-{number}",
                "number": number,
                "scene": (number - 2) // 2 if 3 < number < page_count else None,
                "layout": find_layout(number, page_count),
                "text": f"Text {number}.",
            }
            for number in range(1, page_count + 1)
        ]
        return {"id": id, "brief": brief, "child": child, "pages": pages}

    def page(arguments: Mapping[str, Any]) -> dict[str, Any]:
        book_id, _, number = str(arguments["id"]).rpartition("-")
        whole = book({"id": book_id})
        return {**whole["pages"][int(number) - 1], "book": whole}

    return {
        "me": {"consents": [{"purpose": "AI_PROCESSING", "revokedAt": None}]},
        "book": book,
        "page": page,
    }


@dataclass(slots=True)
class Parent:
    """A parent who calls the ai subgraph."""

    client: SubgraphClient
    id: str = field(default_factory=lambda: new_id("usr"))

    @property
    def token(self) -> str:
        return sign_token(self.id)

    async def execute(self, query: str, **variables: Any) -> Answer:
        return await self.client.execute(query, variables, self.token)

    async def generate(self, book_id: str) -> Any:
        return (await self.execute(GENERATE, id=book_id)).ok["generateBook"]

    async def regenerate(self, page_id: str, *parts: str, instruction: str | None = None) -> Any:
        variables = {"pageId": page_id, "parts": list(parts), "instruction": instruction}
        return (await self.execute(REGENERATE, input=variables)).ok["regeneratePage"]

    async def read(self, generation_id: str) -> Any:
        return (await self.execute(READ, id=generation_id)).ok["generation"]

    async def watch(self, generation_id: str, after: int = 0) -> list[Any]:
        """Collect all events up to the end."""
        events = self.client.subscribe(WATCH, {"id": generation_id, "after": after}, self.token)
        async with aclosing(events):
            return [event.ok["generation"] async for event in events]


@dataclass(slots=True)
class FakeBookWriter:
    """A book writer in memory that applies each idempotency key once and may refuse."""

    put: list[tuple[str, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    pictures: dict[str | None, StoredPicture] = field(default_factory=dict)
    outline: Outline | None = None
    finished: int = 0
    space: int = 420
    gone: bool = False

    async def get_max_lengths(self, book_id: str) -> Mapping[str, int]:
        if self.gone:
            raise NotFound("Book", book_id)
        return {f"{book_id}-{number}": self.space for number in range(1, 33)}

    async def put_outline(self, book_id: str, outline: Outline, key: str) -> None:
        self._apply("outline", key, book_id)
        self.outline = outline

    async def put_text(self, page_id: str, text: str, key: str) -> None:
        self._apply("text", key, page_id)
        self.texts[page_id] = text

    async def put_picture(self, book_id: str, page_id: str | None, picture: StoredPicture, key: str) -> str:
        self._apply("picture", key, book_id)
        self.pictures[page_id] = picture
        return f"ill_{key}"

    async def finish(self, book_id: str, key: str) -> None:
        self._apply("finish", key, book_id)
        self.finished += 1

    def _apply(self, what: str, key: str, id: str) -> None:
        if self.gone:
            raise NotFound("Book", id)
        self.put.append((what, key))


async def run(client: SubgraphClient, studio: Studio, books: FakeBookWriter, generation_id: str) -> None:
    """Run a generation in this process, in a task of its own as a worker does."""
    await asyncio.create_task(
        run_generation(client.runtime, studio, studio, books, generation_id, asyncio.Event())
    )
