"""Idempotency keys: a request with a key that the client chooses takes effect once, however often it is sent.

A client that has lost a response sends its request again with the same key. When a row is to be created, it
gets the one that exists:

    creation = Creation.of(key, details)
    async with runtime.unit_of_work() as uow:
        if created := await find_created(uow.session, Child, owner_id, creation):
            return created
        uow.session.add(Child(…, **creation.columns))
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Final, Self, TypeVar

import orjson
from sqlalchemy import String, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from subgraphs.common.errors import BadUserInput
from subgraphs.common.validation import clean_text

FIELD: Final = "idempotencyKey"
DESCRIPTION: Final = (
    "A key that the client chooses for this request, such as a UUID, of at most 64 characters. Repeating the "
    "request with the same key and input returns what it created the first time."
)
_MAX_LENGTH: Final = 64
_LOCK_SEED: Final = 2
"""The hash seed of advisory locks on keys."""


class CreatedOnce:
    """The columns of a row that may be created under a key, which is unique among the rows of its owner.

    The key is deleted with the row. `request_hash` is of what the client asked for.
    """

    owner_id: Mapped[str]
    idempotency_key: Mapped[str | None] = mapped_column(String(_MAX_LENGTH))
    request_hash: Mapped[str | None] = mapped_column(String(64))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[UniqueConstraint]:  # noqa: N805 - SQLAlchemy passes the class
        """Make the key unique."""
        return (UniqueConstraint("owner_id", "idempotency_key"),)


Row = TypeVar("Row", bound=CreatedOnce)


class KeyReused(BadUserInput):
    """A key was used before, for a different request."""

    def __init__(self, field: str) -> None:
        super().__init__(field, f"{field} was used before for a different request; use a new one.")


@dataclass(frozen=True, slots=True)
class Creation:
    """A request to create a row: its key, if it has one, and the hash of what it asks for."""

    idempotency_key: str | None
    request_hash: str | None

    @classmethod
    def of(cls, key: str | None, *request: Any) -> Self:
        """Build it from a client's key and its request; BadUserInput for a key that is not valid."""
        if key is None:
            return cls(None, None)
        return cls(check_key(FIELD, key), hashlib.sha256(orjson.dumps(request)).hexdigest())

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of the row."""
        return asdict(self)


def check_key(field: str, value: str) -> str:
    """Check a client's key; BadUserInput when it is empty or too long."""
    return clean_text(field, value, max_length=_MAX_LENGTH)


async def find_created(
    session: AsyncSession, entity: type[Row], owner_id: str, creation: Creation
) -> Row | None:
    """Find the owner's row that was created under a key; KeyReused when something else was asked for.

    Until the transaction ends, others with the same key wait, and then find what it has created.
    """
    if creation.idempotency_key is None:
        return None
    name = f"{entity.__name__}:{owner_id}:{creation.idempotency_key}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, _LOCK_SEED))))
    row = await session.scalar(
        select(entity).where(entity.owner_id == owner_id, entity.idempotency_key == creation.idempotency_key)
    )
    if row is not None and row.request_hash != creation.request_hash:
        raise KeyReused(FIELD)
    return row
