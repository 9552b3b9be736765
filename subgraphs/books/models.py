"""The tables of the books domain."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from subgraphs.books.layouts import Layout
from subgraphs.common.audit import create_audit_table
from subgraphs.common.database import Base, create_enum_type, create_metadata
from subgraphs.common.deliveries import create_deliveries_table
from subgraphs.common.idempotency import CreatedOnce
from subgraphs.common.outbox import create_inbox_table, create_outbox_table
from subgraphs.common.pronouns import Pronouns


class Theme(StrEnum):
    """The theme of a story."""

    ADVENTURE = "ADVENTURE"
    FRIENDSHIP = "FRIENDSHIP"
    COURAGE = "COURAGE"
    BEDTIME = "BEDTIME"
    NATURE = "NATURE"
    SPACE = "SPACE"


class BookStatus(StrEnum):
    """The state of a book: DRAFT until it is generated, APPROVED until it is changed again."""

    DRAFT = "DRAFT"
    READY = "READY"
    APPROVED = "APPROVED"


class PageVersionSource(StrEnum):
    """How a version of a page came about."""

    GENERATED = "GENERATED"
    EDITED = "EDITED"
    REVERTED = "REVERTED"


class RenditionKind(StrEnum):
    """What a rendition is for; a print shop needs an interior and a cover."""

    PRINT_INTERIOR = "PRINT_INTERIOR"
    PRINT_COVER = "PRINT_COVER"


class Table(Base):
    """The base of the domain's tables."""

    __abstract__ = True
    metadata = create_metadata("books")


class Child(CreatedOnce, Table):
    """A child's profile, which belongs to the parent who created it."""

    __tablename__ = "children"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(40), index=True)
    name: Mapped[str] = mapped_column(String(60))
    birth_month: Mapped[str] = mapped_column(String(7))
    pronouns: Mapped[Pronouns] = mapped_column(create_enum_type(Pronouns))
    appearance: Mapped[str] = mapped_column(Text)
    interests: Mapped[list[str]]
    created_at: Mapped[datetime]


class Book(CreatedOnce, Table):
    """A book for one child."""

    __tablename__ = "books"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(40), index=True)
    child_id: Mapped[str] = mapped_column(ForeignKey(Child.id, ondelete="CASCADE"), index=True)
    wish: Mapped[str] = mapped_column(Text)
    theme: Mapped[Theme] = mapped_column(create_enum_type(Theme))
    language: Mapped[str] = mapped_column(String(12))
    dedication: Mapped[str | None] = mapped_column(Text)
    format: Mapped[str] = mapped_column(String(40))
    page_count: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    subtitle: Mapped[str | None] = mapped_column(Text)
    blurb: Mapped[str] = mapped_column(Text)
    status: Mapped[BookStatus] = mapped_column(create_enum_type(BookStatus))
    version: Mapped[int]
    cover_illustration_id: Mapped[str | None] = mapped_column(
        ForeignKey("books.illustrations.id", ondelete="SET NULL", use_alter=True), index=True
    )
    snapshot_id: Mapped[str | None] = mapped_column(
        ForeignKey("books.snapshots.id", ondelete="SET NULL", use_alter=True), index=True
    )
    created_at: Mapped[datetime]


class Illustration(Table):
    """A picture of a book, in the object store; its bytes never change."""

    __tablename__ = "illustrations"
    __table_args__ = (UniqueConstraint("book_id", "source_key"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    book_id: Mapped[str] = mapped_column(ForeignKey(Book.id, ondelete="CASCADE"))
    source_key: Mapped[str] = mapped_column(String(80))
    storage_key: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    alt_text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Page(Table):
    """A page of a book. Its content is that of its current version; a new page has none.

    `scene` counts from 1 and is null for the pages around the story.
    """

    __tablename__ = "pages"
    __table_args__ = (UniqueConstraint("book_id", "number"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    book_id: Mapped[str] = mapped_column(ForeignKey(Book.id, ondelete="CASCADE"))
    number: Mapped[int]
    scene: Mapped[int | None]
    first_layout: Mapped[Layout] = mapped_column(create_enum_type(Layout))
    current_id: Mapped[str | None] = mapped_column(
        ForeignKey("books.page_versions.id", ondelete="SET NULL", use_alter=True), index=True
    )
    current: Mapped[PageVersion | None] = relationship(
        foreign_keys=[current_id], lazy="joined", post_update=True
    )

    @property
    def layout(self) -> Layout:
        """The layout of the current version."""
        return self.current.layout if self.current else self.first_layout

    @property
    def text(self) -> str:
        """The text of the current version."""
        return self.current.text if self.current else ""

    @property
    def illustration_id(self) -> str | None:
        """The picture of the current version."""
        return self.current.illustration_id if self.current else None

    @property
    def version(self) -> int:
        """The number of the current version; 0 before the first."""
        return self.current.number if self.current else 0


class PageVersion(Table):
    """The content of a page at one time; rows are only added.

    `source_key` is the id of the generation step that made the version, so that each step takes effect once.
    """

    __tablename__ = "page_versions"
    __table_args__ = (UniqueConstraint("page_id", "number"), UniqueConstraint("page_id", "source_key"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    page_id: Mapped[str] = mapped_column(ForeignKey(Page.id, ondelete="CASCADE"))
    number: Mapped[int]
    layout: Mapped[Layout] = mapped_column(create_enum_type(Layout))
    text: Mapped[str] = mapped_column(Text)
    illustration_id: Mapped[str | None] = mapped_column(
        ForeignKey(Illustration.id, ondelete="SET NULL"), index=True
    )
    source: Mapped[PageVersionSource] = mapped_column(create_enum_type(PageVersionSource))
    source_key: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]


class Snapshot(Table):
    """An approved book, frozen: `content` is canonical JSON and `content_hash` its SHA-256."""

    __tablename__ = "snapshots"
    __table_args__ = (UniqueConstraint("book_id", "content_hash"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    book_id: Mapped[str] = mapped_column(ForeignKey(Book.id, ondelete="CASCADE"))
    content: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(40))
    page_count: Mapped[int]
    approved_at: Mapped[datetime]


class Rendition(Table):
    """A file made from a snapshot, in the object store; there is one of each kind."""

    __tablename__ = "renditions"

    snapshot_id: Mapped[str] = mapped_column(ForeignKey(Snapshot.id, ondelete="CASCADE"), primary_key=True)
    kind: Mapped[RenditionKind] = mapped_column(create_enum_type(RenditionKind), primary_key=True)
    storage_key: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    page_count: Mapped[int]
    width_points: Mapped[float]
    height_points: Mapped[float]
    size: Mapped[int]


create_outbox_table(Table.metadata)
create_inbox_table(Table.metadata)
create_deliveries_table(Table.metadata)
create_audit_table(Table.metadata)
