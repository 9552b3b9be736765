"""Rows by a key: one statement reads the rows of all keys that a loader has collected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

Row = TypeVar("Row")
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


async def load_by(
    session: AsyncSession, statement: Select[Row], key: InstrumentedAttribute[Key], values: Sequence[Key]
) -> dict[Key, Row]:
    """Load the row with each value of a unique column, by that value."""
    rows = await session.scalars(statement.where(key.in_(values)))
    return {getattr(row, key.key): row for row in rows}


async def load_values(
    session: AsyncSession,
    key: InstrumentedAttribute[Key],
    column: InstrumentedAttribute[Value],
    values: Sequence[Key],
) -> dict[Key, Value]:
    """Load the value of a column in the row with each value of a unique column, by the latter."""
    rows = await session.execute(select(key, column).where(key.in_(values)))
    return {row[0]: row[1] for row in rows}


async def load_groups(
    session: AsyncSession, statement: Select[Row], key: InstrumentedAttribute[Key], values: Sequence[Key]
) -> dict[Key, list[Row]]:
    """Load the rows with each value of a column, by that value; each group keeps the statement's order."""
    return group_by(await session.scalars(statement.where(key.in_(values))), attrgetter(key.key))


def group_by(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    """Group rows by a key; each group keeps their order."""
    groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)
