"""The events of a generation as subscribers see them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import strawberry

from subgraphs.ai.service import CancellationReason, GenerationProgress
from subgraphs.ai.types.generation import Book, Generation, GenerationStep, Illustration, Info, Page
from subgraphs.common.errors import require_found

strawberry.enum(CancellationReason, description="Why a generation was cancelled.")


@strawberry.interface(
    description="An event of a generation. What it refers to is null, with an error, if that cannot be read "
    "now; the rest of the event arrives all the same."
)
class GenerationEvent:
    """The fields that all events have."""

    sequence: int = strawberry.field(
        description="Increases with every event. Subscribe with the last one seen as `after` to continue."
    )
    at: datetime
    generation_id: strawberry.Private[str]

    @strawberry.field(description="The generation as it is now.")
    async def generation(self, info: Info) -> Generation | None:
        """Load the generation."""
        row = await info.context.loaders.generation.load(self.generation_id)
        return Generation.of(require_found("Generation", self.generation_id, row))


@strawberry.type(description="The generation has started.")
class GenerationStarted(GenerationEvent):
    """The first event."""


@strawberry.type(
    description="A step has started, or started again, in which case its text begins from the start."
)
class StepStarted(GenerationEvent):
    """A step has begun."""

    step_id: strawberry.Private[str]

    @strawberry.field(description="The step as it is now.")
    async def step(self, info: Info) -> GenerationStep | None:
        """Load the step."""
        return await _load_step(info, self.step_id)


@strawberry.type(description="The next piece of a page's text. Replays may omit these.")
class TextDelta(GenerationEvent):
    """A piece of text."""

    page: Page | None = strawberry.federation.field(provides=["number"])
    text: str


@strawberry.type(description="The outline has been written: the book has a title.")
class OutlineWritten(GenerationEvent):
    """The outline has been written."""

    book: Book | None
    title: str


@strawberry.type(description="The text of a page has been written.")
class PageWritten(GenerationEvent):
    """A page has its text."""

    page: Page | None = strawberry.federation.field(provides=["number"])


@strawberry.type(description="A picture has been drawn.")
class IllustrationReady(GenerationEvent):
    """A picture is in the book."""

    page: Page | None = strawberry.federation.field(provides=["number"], description="Null for the cover.")
    illustration: Illustration | None


@strawberry.type(description="A step failed.")
class StepFailed(GenerationEvent):
    """A step failed, for now or for good."""

    step_id: strawberry.Private[str]
    message: str
    retrying: bool = strawberry.field(description="Whether there is another attempt.")

    @strawberry.field(description="The step as it is now.")
    async def step(self, info: Info) -> GenerationStep | None:
        """Load the step."""
        return await _load_step(info, self.step_id)


@strawberry.type(description="The generation has ended as COMPLETED or PARTIAL.")
class GenerationCompleted(GenerationEvent):
    """The generation completed."""

    book: Book | None


@strawberry.type(description="The generation has failed: it has no results.")
class GenerationFailed(GenerationEvent):
    """The generation failed."""

    message: str


@strawberry.type(description="The generation was cancelled. Finished pages stay in the book.")
class GenerationCancelled(GenerationEvent):
    """The generation was cancelled."""

    reason: CancellationReason


EVENT_TYPES: tuple[type[GenerationEvent], ...] = (
    GenerationStarted,
    StepStarted,
    TextDelta,
    OutlineWritten,
    PageWritten,
    IllustrationReady,
    StepFailed,
    GenerationCompleted,
    GenerationFailed,
    GenerationCancelled,
)
_PLAIN: dict[type[GenerationEvent], tuple[str, ...]] = defaultdict(
    tuple,
    {
        StepStarted: ("step_id",),
        TextDelta: ("text",),
        OutlineWritten: ("title",),
        StepFailed: ("step_id", "message", "retrying"),
        GenerationFailed: ("message",),
    },
)
_BY_NAME = {kind.__name__: kind for kind in EVENT_TYPES}
DURABLE = frozenset(_BY_NAME) - {"TextDelta"}
"""The events that are stored as rows; each reports a change of other rows."""


def convert_event(progress: GenerationProgress) -> GenerationEvent:
    """Convert an event of a generation."""
    event = progress.event
    kind, data = _BY_NAME[event.kind], event.data
    shown: dict[str, Any] = {name: data[name] for name in _PLAIN[kind]}
    if kind in {TextDelta, PageWritten, IllustrationReady}:
        shown["page"] = Page.of(data["page_id"], progress.page_numbers.get(data["page_id"]))
    if kind is IllustrationReady:
        shown["illustration"] = Illustration(id=strawberry.ID(data["illustration_id"]))
    if kind is GenerationCancelled:
        shown["reason"] = CancellationReason(data["reason"])
    if kind in {OutlineWritten, GenerationCompleted}:
        shown["book"] = Book(id=strawberry.ID(progress.book_id))
    return kind(sequence=event.sequence, at=event.at, generation_id=progress.generation_id, **shown)


async def _load_step(info: Info, step_id: str) -> GenerationStep:
    row = await info.context.loaders.step.load(step_id)
    return GenerationStep.of(require_found("GenerationStep", step_id, row))
