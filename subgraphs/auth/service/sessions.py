"""Sessions: opened by a sign-in, continued by refresh tokens that rotate, and ended for good."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from subgraphs.auth import repository
from subgraphs.auth.models import RefreshToken, Session, User
from subgraphs.auth.settings import Settings
from subgraphs.auth.tokens import REFRESH_LIFETIME, create_refresh_token, hash_refresh_token, load_signer
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.common.telemetry import get_logger
from subgraphs.common.unit_of_work import UnitOfWork

_KEPT_AFTER_END = timedelta(days=30)
_MAX_USER_AGENT_LENGTH = 300


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with the tokens of a session."""

    user: User
    session: Session
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


async def open_session(uow: UnitOfWork, settings: Settings, user: User, user_agent: str | None) -> SignedIn:
    """Open a session with its first tokens; old sessions of the user that have ended are deleted."""
    await repository.delete_ended_sessions(uow.session, user.id, uow.now - _KEPT_AFTER_END)
    session = Session(
        id=new_id("ses"),
        user_id=user.id,
        user_agent=user_agent[:_MAX_USER_AGENT_LENGTH] if user_agent else None,
        created_at=uow.now,
    )
    uow.session.add(session)
    return await _issue_tokens(uow, settings, user, session)


async def refresh(runtime: Runtime, refresh_token: str) -> SignedIn | None:
    """Exchange a refresh token for new tokens of its session; None when it is unknown or no longer valid.

    A token that is used a second time has been copied. Whether the parent or the thief used it first is
    unknown, so the whole session is revoked. That must be committed, hence None instead of an exception.
    """
    async with runtime.unit_of_work() as uow:
        family = await repository.lock_family(uow.session, hash_refresh_token(refresh_token))
        if family is None:
            return None
        session, token = family
        if not session.is_open(uow.now):
            return None
        if token.used_at is not None:
            get_logger().warning("A used refresh token was presented", session=session.id)
            _end_session(uow, session)
            return None
        token.used_at = uow.now
        user = await uow.session.get_one(User, session.user_id)
        return await _issue_tokens(uow, runtime.get_settings(Settings), user, session)


async def sign_out(runtime: Runtime, caller: Identity) -> None:
    """End the session of the caller's token."""
    async with runtime.unit_of_work() as uow:
        session = await repository.lock_session(uow.session, caller.user_id, caller.session_id)
        _end_session(uow, session)


async def revoke_session(runtime: Runtime, caller: Identity, session_id: str) -> Session:
    """Revoke a session of the caller's; one that has ended is left as it is. NotFound for any other."""
    async with runtime.unit_of_work() as uow:
        session = await repository.lock_session(uow.session, caller.user_id, session_id)
        _end_session(uow, session)
    return session


async def _issue_tokens(uow: UnitOfWork, settings: Settings, user: User, session: Session) -> SignedIn:
    session.last_seen_at, session.expires_at = uow.now, uow.now + REFRESH_LIFETIME
    refresh_token = create_refresh_token()
    await uow.session.flush()
    uow.session.add(
        RefreshToken(hash=hash_refresh_token(refresh_token), session_id=session.id, issued_at=uow.now)
    )
    access_token = load_signer(settings).sign_access_token(user.id, session.id, user.scopes, uow.now)
    return SignedIn(user, session, access_token, refresh_token)


def _end_session(uow: UnitOfWork, session: Session) -> None:
    if session.revoked_at is None:
        session.revoked_at = uow.now
