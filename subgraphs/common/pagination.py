"""Keyset pagination of Relay connections, by id and newest first; one statement reads many lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from subgraphs.common.errors import BadUserInput
from subgraphs.common.ids import is_id
from subgraphs.common.rows import group_by
from subgraphs.common.validation import require_in_range

Row = TypeVar("Row", covariant=True)

MAX_PAGE_SIZE: Final = 100
"""Items in one page of a connection."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The arguments of a connection; hashable, so that they can be part of a loader's key."""

    first: int
    after: str | None

    @classmethod
    def of(cls, first: int, after: str | None) -> PageRequest:
        """Check the arguments of a connection; BadUserInput when one is not valid."""
        if after is not None and not is_id(after):
            raise BadUserInput("after", "after must be a cursor of this connection.")
        return cls(require_in_range("first", first, 1, MAX_PAGE_SIZE), after)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """A page of rows; the cursor of a row is its id."""

    rows: Sequence[Row]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool


EMPTY: Page[Any] = Page((), (), has_next=False, has_previous=False)


async def load_page(
    session: AsyncSession, statement: Select[Any], id: InstrumentedAttribute[str], request: PageRequest
) -> Page[Any]:
    """Load a page of the rows that a statement selects; their `id` sorts by time of creation."""
    newest = _start_after(statement, id, request).order_by(id.desc()).limit(request.first + 1)
    return _build_page((await session.scalars(newest)).all(), request)


async def load_pages(
    session: AsyncSession,
    statement: Select[Any],
    parent: InstrumentedAttribute[str],
    parent_ids: Sequence[str],
    request: PageRequest,
) -> dict[str, Page[Any]]:
    """Load the same page of several parents' lists with one statement, by parent id.

    The statement selects the rows of all lists; their `id` sorts by time of creation.
    """
    id = parent.class_.id
    rank = func.row_number().over(partition_by=parent, order_by=id.desc()).label("rank")
    listed = statement.add_columns(rank).where(parent.in_(parent_ids))
    ranked = _start_after(listed, id, request).subquery()
    row = aliased(parent.class_, ranked)
    found = await session.scalars(
        select(row).where(ranked.c.rank <= request.first + 1).order_by(row.id.desc())
    )
    groups = group_by(found, attrgetter(parent.key))
    return {parent_id: _build_page(rows, request) for parent_id, rows in groups.items()}


def _start_after(statement: Select[Any], id: InstrumentedAttribute[str], request: PageRequest) -> Select[Any]:
    return statement if request.after is None else statement.where(id < request.after)


def _build_page(rows: Sequence[Any], request: PageRequest) -> Page[Any]:
    """Build a page from its rows; one row more than was requested shows that there is a next page."""
    kept = rows[: request.first]
    return Page(
        rows=kept,
        cursors=[row.id for row in kept],
        has_next=len(rows) > request.first,
        has_previous=request.after is not None,
    )
