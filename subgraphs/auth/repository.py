"""All SQL of the auth domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.auth.models import Consent, ConsentPurpose, RefreshToken, Session, User
from subgraphs.common.errors import NotFound

Row = TypeVar("Row", Session, Consent)


async def add_user(session: AsyncSession, user: User) -> bool:
    """Insert an account; false when its address is taken, also by someone who commits at this moment."""
    columns = {column.key: getattr(user, column.key) for column in User.__table__.columns}
    added = await session.scalar(
        insert(User).values(**columns).on_conflict_do_nothing(index_elements=[User.email]).returning(User.id)
    )
    return added is not None


async def user_by_email(session: AsyncSession, email: str) -> User | None:
    """The account of a normalised address."""
    return await session.scalar(select(User).where(User.email == email))


async def users_by_id(session: AsyncSession, ids: Sequence[str]) -> dict[str, User]:
    """Accounts by id."""
    rows = await session.scalars(select(User).where(User.id.in_(ids)))
    return {row.id: row for row in rows}


async def open_sessions_of(
    session: AsyncSession, user_ids: Sequence[str], now: datetime
) -> dict[str, Sequence[Session]]:
    """The sessions that still refresh, by user, the last seen first."""
    rows = await session.scalars(
        select(Session)
        .where(Session.user_id.in_(user_ids), Session.revoked_at.is_(None), Session.expires_at > now)
        .order_by(Session.last_seen_at.desc(), Session.id.desc())
    )
    return _group(rows.all())


async def consents_of(session: AsyncSession, user_ids: Sequence[str]) -> dict[str, Sequence[Consent]]:
    """The whole ledger of each user, newest entry first."""
    rows = await session.scalars(
        select(Consent).where(Consent.user_id.in_(user_ids)).order_by(Consent.id.desc())
    )
    return _group(rows.all())


async def consents_by_id(session: AsyncSession, user_id: str, ids: Sequence[str]) -> dict[str, Consent]:
    """Entries of a user's ledger by id."""
    rows = await session.scalars(select(Consent).where(Consent.id.in_(ids), Consent.user_id == user_id))
    return {row.id: row for row in rows}


async def lock_session(session: AsyncSession, user_id: str, id: str) -> Session:
    """One of the user's sessions, locked; NotFound when it is not theirs."""
    row = await session.scalar(
        select(Session).where(Session.id == id, Session.user_id == user_id).with_for_update()
    )
    if row is None:
        raise NotFound("Session", id)
    return row


async def lock_family(session: AsyncSession, token_hash: str) -> tuple[Session, RefreshToken] | None:
    """The session that a refresh token belongs to, locked, and the token as it is under that lock."""
    row = await session.scalar(
        select(Session)
        .join(RefreshToken, RefreshToken.session_id == Session.id)
        .where(RefreshToken.hash == token_hash)
        .with_for_update(of=Session)
    )
    if row is None:
        return None
    return row, await session.get_one(RefreshToken, token_hash)


async def forget_ended_sessions(session: AsyncSession, user_id: str, before: datetime) -> None:
    """Delete a user's sessions that ended before a moment."""
    await session.execute(delete(Session).where(Session.user_id == user_id, Session.expires_at < before))


async def lock_user(session: AsyncSession, id: str) -> User:
    """The account, locked, which serialises changes of its consent ledger."""
    row = await session.get(User, id, with_for_update=True)
    if row is None:
        raise NotFound("User", id)
    return row


async def standing_consent(
    session: AsyncSession, user_id: str, purpose: ConsentPurpose, policy_version: str
) -> Consent | None:
    """The consent in force for a purpose and a version, locked."""
    return await session.scalar(
        select(Consent)
        .where(
            Consent.user_id == user_id,
            Consent.purpose == purpose,
            Consent.policy_version == policy_version,
            Consent.revoked_at.is_(None),
        )
        .with_for_update()
    )


async def lock_consent(session: AsyncSession, user_id: str, id: str) -> Consent:
    """One of the user's consents, locked; NotFound when it is not theirs."""
    row = await session.scalar(
        select(Consent).where(Consent.id == id, Consent.user_id == user_id).with_for_update()
    )
    if row is None:
        raise NotFound("Consent", id)
    return row


def _group(rows: Sequence[Row]) -> dict[str, Sequence[Row]]:
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.user_id].append(row)
    return dict(grouped)
