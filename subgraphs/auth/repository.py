"""All SQL of the auth domain. Whatever belongs to a user is read with the user's id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.auth.models import Consent, ConsentPurpose, RefreshToken, Session, User
from subgraphs.common.database import group_by
from subgraphs.common.errors import require_found


async def add_user(session: AsyncSession, user: User) -> bool:
    """Insert an account; false when its address is taken, even by a transaction that is still open."""
    columns = {column.key: getattr(user, column.key) for column in User.__table__.columns}
    added = await session.scalar(
        insert(User).values(**columns).on_conflict_do_nothing(index_elements=[User.email]).returning(User.id)
    )
    return added is not None


async def find_user_by_email(session: AsyncSession, email: str) -> User | None:
    """Find the account of a normalised address."""
    return await session.scalar(select(User).where(User.email == email))


async def load_users(session: AsyncSession, user_id: str, ids: Sequence[str]) -> dict[str, User]:
    """Load the user's own account, if its id is among these, by id."""
    rows = await session.scalars(select(User).where(User.id.in_(ids), User.id == user_id))
    return {row.id: row for row in rows}


async def load_consents(session: AsyncSession, user_id: str, ids: Sequence[str]) -> dict[str, Consent]:
    """Load entries of the user's ledger by id."""
    rows = await session.scalars(select(Consent).where(Consent.id.in_(ids), Consent.user_id == user_id))
    return {row.id: row for row in rows}


async def load_open_sessions_of_users(
    session: AsyncSession, user_ids: Sequence[str], now: datetime
) -> dict[str, list[Session]]:
    """Load the sessions that can still be refreshed, by user, the last seen first."""
    rows = await session.scalars(
        select(Session)
        .where(Session.user_id.in_(user_ids), Session.revoked_at.is_(None), Session.expires_at > now)
        .order_by(Session.last_seen_at.desc(), Session.id.desc())
    )
    return group_by(rows, lambda row: row.user_id)


async def load_consents_of_users(session: AsyncSession, user_ids: Sequence[str]) -> dict[str, list[Consent]]:
    """Load the whole ledger of each user, newest entry first."""
    rows = await session.scalars(
        select(Consent).where(Consent.user_id.in_(user_ids)).order_by(Consent.id.desc())
    )
    return group_by(rows, lambda row: row.user_id)


async def lock_session(session: AsyncSession, user_id: str, session_id: str) -> Session:
    """Lock a session of the user's; NotFound when there is none."""
    row = await session.scalar(
        select(Session).where(Session.id == session_id, Session.user_id == user_id).with_for_update()
    )
    return require_found("Session", session_id, row)


async def lock_family(session: AsyncSession, token_hash: str) -> tuple[Session, RefreshToken] | None:
    """Lock the session that a refresh token belongs to; return it with the token as it is under the lock."""
    row = await session.scalar(
        select(Session)
        .join(RefreshToken, RefreshToken.session_id == Session.id)
        .where(RefreshToken.hash == token_hash)
        .with_for_update(of=Session)
    )
    if row is None:
        return None
    return row, await session.get_one(RefreshToken, token_hash)


async def delete_ended_sessions(session: AsyncSession, user_id: str, before: datetime) -> None:
    """Delete the user's sessions that expired before a moment."""
    await session.execute(delete(Session).where(Session.user_id == user_id, Session.expires_at < before))


async def lock_user(session: AsyncSession, user_id: str) -> User:
    """Lock an account, which serialises changes of its consent ledger; NotFound when there is none."""
    row = await session.get(User, user_id, with_for_update=True)
    return require_found("User", user_id, row)


async def lock_user_by_email(session: AsyncSession, email: str) -> User:
    """Lock the account of a normalised address; NotFound when there is none."""
    row = await session.scalar(select(User).where(User.email == email).with_for_update())
    return require_found("User", email, row)


async def find_consent_in_force(
    session: AsyncSession, user_id: str, purpose: ConsentPurpose, policy_version: str
) -> Consent | None:
    """Find the user's consent in force for a purpose and a policy version, and lock it."""
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


async def lock_consent(session: AsyncSession, user_id: str, consent_id: str) -> Consent:
    """Lock a consent of the user's; NotFound when there is none."""
    row = await session.scalar(
        select(Consent).where(Consent.id == consent_id, Consent.user_id == user_id).with_for_update()
    )
    return require_found("Consent", consent_id, row)
