"""The audit log of a domain: who did what, whose data it was, and why.

Entries are written in the transaction that they report, and never changed: a trigger refuses it. Each has the
hash of the one before it, so that a changed, removed or inserted entry breaks the chain at that place:

    1  operator  grant_role        usr_1  support  previous 00…  hash 5f…
    2  usr_1     confirm_delivery  ord_7           previous 5f…  hash c2…

Removing the newest entries leaves a valid chain; to detect that, the last hash is kept elsewhere. Entries
hold ids and no personal data, so they can stay when a person is deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

OPERATOR: Final = "operator"
"""The actor of commands of the command line."""

_FIRST_HASH: Final = "0" * 64
_HASHED: Final = ("sequence", "actor", "action", "subject", "owner_id", "reason", "previous_hash")
_LOCK_SEED: Final = 0x6175_6469


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is recorded: `subject` is the id of what was changed, `owner_id` of whom it belongs to."""

    actor: str
    action: str
    subject: str
    owner_id: str | None = None
    reason: str | None = None


class BrokenChain(Exception):
    """An entry is missing, or is not what was written."""


def create_audit_table(metadata: MetaData) -> Table:
    """Create the audit log of a domain; its migration adds the trigger, see `build_trigger`."""
    return Table(
        "audit",
        metadata,
        Column("sequence", BigInteger, primary_key=True, autoincrement=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("actor", String(100), nullable=False),
        Column("action", String(60), nullable=False),
        Column("subject", String(200), nullable=False),
        Column("owner_id", String(40)),
        Column("reason", String(200)),
        Column("previous_hash", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
    )


def build_trigger(schema: str) -> tuple[str, str]:
    """Build the statements that make a domain's audit log append-only."""
    function = f"""
        CREATE FUNCTION {schema}.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'the audit log is append-only'; END$$
    """
    trigger = f"""
        CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.audit
        FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_audit_change()
    """
    return function, trigger


async def append(session: AsyncSession, table: Table, entry: AuditEntry, now: datetime) -> None:
    """Append an entry; transactions that do so take turns until they commit."""
    key = func.hashtextextended(table.fullname, _LOCK_SEED)
    await session.execute(select(func.pg_advisory_xact_lock(key)))
    last = (
        await session.execute(
            select(table.c.sequence, table.c.hash).order_by(table.c.sequence.desc()).limit(1)
        )
    ).one_or_none()
    values = {
        "sequence": last.sequence + 1 if last else 1,
        "at": now,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "owner_id": entry.owner_id,
        "reason": entry.reason,
        "previous_hash": last.hash if last else _FIRST_HASH,
    }
    await session.execute(insert(table).values(**values, hash=_compute_hash(values)))


async def verify(session: AsyncSession, table: Table) -> tuple[int, str]:
    """Return the number of entries and the last hash; BrokenChain names the first that is wrong."""
    count, previous = 0, _FIRST_HASH
    rows = await session.stream(select(table).order_by(table.c.sequence))
    async for row in rows.mappings():
        count += 1
        if row["sequence"] != count:
            raise BrokenChain(f"entry {count} is missing")
        if row["previous_hash"] != previous or row["hash"] != _compute_hash(dict(row)):
            raise BrokenChain(f"entry {count} is not what was written")
        previous = row["hash"]
    return count, previous


def _compute_hash(row: Mapping[str, Any]) -> str:
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(orjson.dumps([at, *(row[name] for name in _HASHED)])).hexdigest()
