"""The tables of the ai domain."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from subgraphs.ai.states import GenerationStatus
from subgraphs.common.audit import create_audit_table
from subgraphs.common.database import Base, create_enum_type, create_metadata
from subgraphs.common.deliveries import create_deliveries_table
from subgraphs.common.outbox import create_inbox_table, create_outbox_table


class GenerationKind(StrEnum):
    """Whether a whole book is generated, or parts of one page."""

    BOOK = "BOOK"
    PAGE = "PAGE"


class StepKind(StrEnum):
    """The result of a step."""

    OUTLINE = "OUTLINE"
    SCENE_TEXT = "SCENE_TEXT"
    ILLUSTRATION = "ILLUSTRATION"
    COVER = "COVER"


PICTURE_STEPS: Final = frozenset({StepKind.COVER, StepKind.ILLUSTRATION})
"""The steps whose result is a picture."""


def build_picture_key(step_id: str, attempt: int) -> str:
    """Build the storage key of the picture of one attempt of a step."""
    return f"illustrations/{step_id}-{attempt}.png"


class StepStatus(StrEnum):
    """The state of a step; SKIPPED when the generation ended before it."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


ACTIVE = text("status IN ('QUEUED', 'RUNNING')")
"""The condition of the index that lets one generation at a time work on a book."""


class Table(Base):
    """The base of the domain's tables."""

    __abstract__ = True
    metadata = create_metadata("ai")


class Generation(Table):
    """A generation of a book, or of parts of a page.

    `writer`, `illustrator` and `moderator` are the names of its providers; `moderation_usage` is the Usage of
    moderating the parent's texts, null when there were none. `request` is the frozen GenerationRequest.
    `lease` counts the runners that have acquired the generation; only the last may write. `last_sequence` is
    the number of the newest durable event.
    """

    __tablename__ = "generations"
    __table_args__ = (
        Index("uq_generations_active_book", "book_id", unique=True, postgresql_where=ACTIVE),
        Index("ix_generations_book_id_id", "book_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(40))
    book_id: Mapped[str] = mapped_column(String(40))
    child_id: Mapped[str] = mapped_column(String(40), index=True)
    kind: Mapped[GenerationKind] = mapped_column(create_enum_type(GenerationKind))
    status: Mapped[GenerationStatus] = mapped_column(create_enum_type(GenerationStatus))
    writer: Mapped[str] = mapped_column(String(20))
    illustrator: Mapped[str] = mapped_column(String(20))
    moderator: Mapped[str] = mapped_column(String(20))
    moderation_usage: Mapped[dict[str, Any] | None]
    request: Mapped[dict[str, Any]]
    lease: Mapped[int] = mapped_column(Integer, default=0)
    last_sequence: Mapped[int] = mapped_column(Integer, default=0)
    failure: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class GenerationStep(Table):
    """A step of a generation, with the hash of its input and its result.

    `scene` counts from 1 and is null for the outline and the cover; `page_id` is the page that gets the
    result, and `page_number` its place in the book. A step is DONE when its result is saved, and
    `announced_at` is set when the book has it and its live event has a number. `usage` has the Usage of each
    call that its provider began to answer, whether or not the result was used.
    """

    __tablename__ = "generation_steps"
    __table_args__ = (UniqueConstraint("generation_id", "position"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    generation_id: Mapped[str] = mapped_column(ForeignKey(Generation.id, ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[StepKind] = mapped_column(create_enum_type(StepKind))
    scene: Mapped[int | None] = mapped_column(Integer)
    page_id: Mapped[str | None] = mapped_column(String(40))
    page_number: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[StepStatus] = mapped_column(create_enum_type(StepStatus))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    input_hash: Mapped[str | None] = mapped_column(String(64))
    result: Mapped[dict[str, Any] | None]
    usage: Mapped[list[dict[str, Any]]]
    failure: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]


class GenerationEvent(Table):
    """A durable live event of a generation."""

    __tablename__ = "generation_events"

    generation_id: Mapped[str] = mapped_column(
        ForeignKey(Generation.id, ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]


create_outbox_table(Table.metadata)
create_inbox_table(Table.metadata)
create_deliveries_table(Table.metadata)
create_audit_table(Table.metadata)
