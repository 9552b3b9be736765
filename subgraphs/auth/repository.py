"""All SQL of the auth domain. Whatever belongs to a user is read with the user's id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from subgraphs.auth.models import Consent, RefreshToken, Session, User
from subgraphs.common.consent import ConsentPurpose
from subgraphs.common.errors import require_found
from subgraphs.common.ownership import Owned
from subgraphs.common.rows import load_groups

_USERS = Owned(User, User.id)
_SESSIONS = Owned(Session, Session.user_id)
_CONSENTS = Owned(Consent, Consent.user_id)

load_users = _USERS.load
lock_session = _SESSIONS.lock
load_consents, lock_consent = _CONSENTS.load, _CONSENTS.lock


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


async def load_open_sessions_of_users(
    session: AsyncSession, user_id: str, user_ids: Sequence[str], now: datetime
) -> dict[str, list[Session]]:
    """Load the user's refreshable sessions, if the user is among these, the last seen first."""
    still_open = _SESSIONS.select(user_id).where(Session.revoked_at.is_(None), Session.expires_at > now)
    last_seen_first = still_open.order_by(Session.last_seen_at.desc(), Session.id.desc())
    return await load_groups(session, last_seen_first, Session.user_id, user_ids)


async def load_consents_of_users(
    session: AsyncSession, user_id: str, user_ids: Sequence[str]
) -> dict[str, list[Consent]]:
    """Load the user's whole ledger, if the user is among these, newest entry first."""
    newest_first = _CONSENTS.select(user_id).order_by(Consent.id.desc())
    return await load_groups(session, newest_first, Consent.user_id, user_ids)


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
    """Delete the user's sessions that expired before a time."""
    await session.execute(delete(Session).where(Session.user_id == user_id, Session.expires_at < before))


async def lock_user(session: AsyncSession, user_id: str) -> User:
    """Lock an account, which serialises changes of its consent ledger; NotFound when there is none."""
    return await _USERS.lock(session, user_id, user_id)


async def lock_user_by_email(session: AsyncSession, email: str) -> User:
    """Lock the account of a normalised address; NotFound when there is none."""
    row = await session.scalar(select(User).where(User.email == email).with_for_update())
    return require_found("User", email, row)


async def has_consent_in_force(session: AsyncSession, user_id: str, purpose: ConsentPurpose) -> bool:
    """Whether the user has a consent in force for a purpose, whatever its policy version."""
    in_force = _CONSENTS.select(user_id).where(Consent.purpose == purpose, Consent.revoked_at.is_(None))
    return bool(await session.scalar(select(in_force.exists())))


async def find_consent_in_force(
    session: AsyncSession, user_id: str, purpose: ConsentPurpose, policy_version: str
) -> Consent | None:
    """Find the user's consent in force for a purpose and a policy version, and lock it."""
    return await session.scalar(
        _CONSENTS.select(user_id)
        .where(
            Consent.purpose == purpose,
            Consent.policy_version == policy_version,
            Consent.revoked_at.is_(None),
        )
        .with_for_update()
    )
