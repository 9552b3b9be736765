"""Ownership: what belongs to a user is found together with the user's id, and not otherwise.

A repository says once whose the rows of each entity are, and reads them through that:

    _PARENTS = Owned(Parent, Parent.owner_id)
    _CHILDREN = _PARENTS.extend_to(Child, Child.parent_id)

    await _CHILDREN.get(session, "usr_1", "chd_1")    NotFound, if the parent of chd_1 is not usr_1's
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from subgraphs.common.errors import require_found
from subgraphs.common.rows import load_by


class _Entity(Protocol):
    id: str


Row = TypeVar("Row", bound=_Entity)
Further = TypeVar("Further", bound=_Entity)


class Owned(Generic[Row]):
    """The rows of an entity, each of which belongs to a user; `owner` is the column with the user's id.

    What has `any` in its name reads without an owner, for a task or for staff.
    """

    def __init__(
        self,
        entity: type[Row],
        owner: InstrumentedAttribute[str],
        joins: Sequence[tuple[Any, ColumnElement[bool]]] = (),
    ) -> None:
        self._entity = entity
        self._id: Any = entity.id  # on the class it is the column
        self._owner = owner
        self._joins = joins

    def extend_to(self, entity: type[Further], reference: InstrumentedAttribute[str]) -> Owned[Further]:
        """Extend the ownership to the rows of an entity that refer to these."""
        return Owned(entity, self._owner, ((self._entity, reference == self._id), *self._joins))

    def select(self, owner_id: str) -> Select[Row]:
        """Build a statement that selects the rows of an owner."""
        statement = select(self._entity)
        for entity, condition in self._joins:
            statement = statement.join(entity, condition)
        return statement.where(self._owner == owner_id)

    async def load(self, session: AsyncSession, owner_id: str, ids: Sequence[str]) -> dict[str, Row]:
        """Load an owner's rows by id."""
        return await load_by(session, self.select(owner_id), self._id, ids)

    async def get(self, session: AsyncSession, owner_id: str, id: str) -> Row:
        """Get an owner's row; NotFound when there is none."""
        return self._require(id, await session.scalar(self.select(owner_id).where(self._id == id)))

    async def lock(self, session: AsyncSession, owner_id: str, id: str) -> Row:
        """Lock an owner's row, and read it as it is under the lock; NotFound when there is none."""
        statement = self.select(owner_id).where(self._id == id).with_for_update(of=self._entity)
        return self._require(id, await session.scalar(statement.execution_options(populate_existing=True)))

    async def get_any(self, session: AsyncSession, id: str) -> Row:
        """Get a row of any owner; NotFound when there is none."""
        return self._require(id, await session.get(self._entity, id))

    async def lock_any(self, session: AsyncSession, id: str) -> Row:
        """Lock a row of any owner, and read it as it is under the lock; NotFound when there is none."""
        return self._require(id, await session.get(self._entity, id, with_for_update=True))

    def _require(self, id: str, row: Row | None) -> Row:
        return require_found(self._entity.__name__, id, row)
