"""The events of the books domain."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.common.messages import Event


@dataclass(frozen=True, slots=True)
class BookCreated(Event):
    """A parent has created a book."""

    book_id: str
    owner_id: str


@dataclass(frozen=True, slots=True)
class PageEdited(Event):
    """A parent has edited a page, or reverted it."""

    page_id: str
    book_id: str
    version: int


@dataclass(frozen=True, slots=True)
class BookApproved(Event):
    """A book has been approved as its snapshot."""

    book_id: str
    snapshot_id: str


@dataclass(frozen=True, slots=True)
class SnapshotTypeset(Event):
    """The print files of a snapshot have been stored."""

    snapshot_id: str


@dataclass(frozen=True, slots=True)
class ChildDeleted(Event):
    """A child and its books have been deleted."""

    child_id: str
    owner_id: str
