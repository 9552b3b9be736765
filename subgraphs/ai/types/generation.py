"""Generations and their steps, and the entities of the books domain that they refer to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from subgraphs.ai import models
from subgraphs.ai.loaders import Loaders
from subgraphs.ai.models import GenerationKind, StepKind, StepStatus
from subgraphs.ai.states import GenerationStatus
from subgraphs.common.context import Context
from subgraphs.common.pagination import PageRequest
from subgraphs.common.types import PAGED, After, Connection, First, sized

Info = strawberry.Info[Context[Loaders], None]

strawberry.enum(GenerationKind, description="Whether a whole book is generated, or parts of one page.")
strawberry.enum(
    GenerationStatus, description="The state of a generation; PARTIAL lacks the steps that kept failing."
)
strawberry.enum(StepKind, description="The result of a step.")
strawberry.enum(StepStatus, description="The state of a step; SKIPPED when the generation ended before it.")


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Page:
    """A reference to a page of the books domain, with its number."""

    id: strawberry.ID
    number: int = strawberry.federation.field(external=True)

    @classmethod
    def of(cls, page_id: str | None, number: int | None) -> Self | None:
        """Refer to a page; None without an id."""
        if page_id is None:
            return None
        assert number is not None, "every page of a step has its number"
        return cls(id=strawberry.ID(page_id), number=number)


@strawberry.federation.type(keys=[Key(fields=FieldSet("id"), resolvable=False)])
class Illustration:
    """A reference to an illustration of the books domain."""

    id: strawberry.ID


@strawberry.federation.type(keys=["id"])
class Book:
    """What the ai domain adds to a book."""

    id: strawberry.ID

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Self:
        """Resolve any book; only its owner finds its generations."""
        return cls(id=id)

    @strawberry.field(description="The newest generation that worked on this book.")
    async def generation(self, info: Info) -> Annotated[Generation, strawberry.lazy(__name__)] | None:
        """Load the newest of the caller's generations."""
        row = await info.context.loaders.newest_generation_of_book.load(self.id)
        return Generation.of(row) if row else None

    @strawberry.field(directives=[PAGED], description="All generations that worked on this book.")
    async def generations(
        self, info: Info, first: First = 20, after: After = None
    ) -> Connection[Annotated[Generation, strawberry.lazy(__name__)]]:
        """Load a page of the caller's generations."""
        page = await info.context.loaders.generations_of_book.load((self.id, PageRequest.of(first, after)))
        return Connection.of(page, [Generation.of(row) for row in page.rows])


@strawberry.federation.type(keys=["id"], description="One step of a generation, done once.")
class GenerationStep:
    """A step."""

    id: strawberry.ID
    kind: StepKind
    page: Page | None = strawberry.federation.field(
        provides=["number"], description="The page that gets the result; null for outline and cover."
    )
    status: StepStatus
    attempts: int = strawberry.field(description="The number of attempts.")
    failure: str | None = strawberry.field(description="The last failure.")
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: models.GenerationStep) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            kind=row.kind,
            page=Page.of(row.page_id, row.page_number),
            status=row.status,
            attempts=row.attempts,
            failure=row.failure,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a step of one of the caller's generations."""
        row = await info.context.loaders.step.load(id)
        return cls.of(row) if row else None


@strawberry.federation.type(keys=["id"], description="The generation of a book, or of parts of a page.")
class Generation:
    """A generation."""

    id: strawberry.ID
    kind: GenerationKind
    status: GenerationStatus
    book: Book | None
    last_sequence: int = strawberry.field(
        description="The number of the newest event; subscribe with it as `after` to continue from there."
    )
    provider: str = strawberry.field(
        description="The provider of the texts and pictures, or both if they differ: `openai, offline`."
    )
    failure: str | None = strawberry.field(description="The first failure; null when there was none.")
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: models.Generation) -> Self:
        """Convert a row."""
        return cls(
            id=strawberry.ID(row.id),
            kind=row.kind,
            status=row.status,
            book=Book(id=strawberry.ID(row.book_id)),
            last_sequence=row.last_sequence,
            provider=", ".join(dict.fromkeys([row.writer, row.illustrator])),
            failure=row.failure,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: strawberry.ID) -> Self | None:
        """Find a generation of the caller's."""
        row = await info.context.loaders.generation.load(id)
        return cls.of(row) if row else None

    @strawberry.field(directives=[sized(30)], description="The steps, in order.")
    async def steps(self, info: Info) -> list[GenerationStep]:
        """Load the steps."""
        return [
            GenerationStep.of(row) for row in await info.context.loaders.steps_of_generation.load(self.id)
        ]

    @strawberry.field(description="The number of finished steps.")
    async def steps_done(self, info: Info) -> int:
        """Count the steps that are done."""
        steps = await info.context.loaders.steps_of_generation.load(self.id)
        return sum(step.status is StepStatus.DONE for step in steps)

    @strawberry.field(description="The number of steps.")
    async def steps_total(self, info: Info) -> int:
        """Count all steps."""
        return len(await info.context.loaders.steps_of_generation.load(self.id))
