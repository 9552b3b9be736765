"""Rotation of refresh tokens and the end of sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import pytest
from sqlalchemy import select

from subgraphs.auth.models import RefreshToken
from tests.subgraphs.auth.accounts import SIGN_IN
from tests.subgraphs.auth.conftest import PASSWORD, Parent
from tests.support.subgraph import SubgraphClient

REFRESH = """
mutation ($token: String!) {
  refresh(refreshToken: $token) {
    __typename
    ... on SignedIn { user { id } tokens { accessToken refreshToken } }
    ... on SessionExpired { message }
  }
}
"""
SESSIONS = "{ me { sessions { id current userAgent } } }"
EXPIRED = {"__typename": "SessionExpired", "message": "The session has ended; sign in again."}


async def refresh(auth: SubgraphClient, token: str) -> dict[str, Any]:
    outcome: dict[str, Any] = (await auth.execute(REFRESH, {"token": token})).ok["refresh"]
    return outcome


async def test_a_refresh_token_gives_tokens_of_the_same_session(auth: SubgraphClient, parent: Parent) -> None:
    refreshed = await refresh(auth, parent.refresh_token)
    assert refreshed["user"] == {"id": parent.id}
    assert read_session_id(refreshed["tokens"]["accessToken"]) == read_session_id(parent.access_token)
    assert refreshed["tokens"]["refreshToken"] != parent.refresh_token


async def test_each_refresh_token_gives_the_next(auth: SubgraphClient, parent: Parent) -> None:
    token = parent.refresh_token
    for _ in range(4):
        token = (await refresh(auth, token))["tokens"]["refreshToken"]
    assert (await refresh(auth, token))["__typename"] == "SignedIn"


async def test_reusing_a_refresh_token_revokes_its_descendants(auth: SubgraphClient, parent: Parent) -> None:
    child = (await refresh(auth, parent.refresh_token))["tokens"]["refreshToken"]
    grandchild = (await refresh(auth, child))["tokens"]["refreshToken"]
    assert await refresh(auth, parent.refresh_token) == EXPIRED
    assert await refresh(auth, grandchild) == EXPIRED


async def test_reuse_ends_no_other_session(auth: SubgraphClient, parent: Parent) -> None:
    signed_in = await auth.execute(SIGN_IN, {"email": parent.email, "password": PASSWORD})
    other = signed_in.ok["signIn"]["tokens"]["accessToken"]
    await refresh(auth, parent.refresh_token)
    await refresh(auth, parent.refresh_token)
    sessions = (await auth.execute(SESSIONS, token=other)).ok["me"]["sessions"]
    assert [session["id"] for session in sessions] == [read_session_id(other)]


async def test_one_concurrent_use_of_a_token_succeeds_and_its_family_is_revoked(
    auth: SubgraphClient, parent: Parent
) -> None:
    outcomes = await asyncio.gather(*(refresh(auth, parent.refresh_token) for _ in range(8)))
    winners = [outcome for outcome in outcomes if outcome["__typename"] == "SignedIn"]
    assert len(winners) == 1
    assert await refresh(auth, winners[0]["tokens"]["refreshToken"]) == EXPIRED


@pytest.mark.parametrize("token", ["", "made up", "x" * 5000, "😀"])
async def test_an_unknown_refresh_token_is_expired(auth: SubgraphClient, token: str) -> None:
    assert await refresh(auth, token) == EXPIRED


async def test_after_signing_out_no_token_of_the_session_can_be_refreshed(
    auth: SubgraphClient, parent: Parent
) -> None:
    child = (await refresh(auth, parent.refresh_token))["tokens"]["refreshToken"]
    assert (await auth.execute("mutation { signOut }", token=parent.access_token)).ok == {"signOut": True}
    assert await refresh(auth, child) == EXPIRED
    assert await refresh(auth, parent.refresh_token) == EXPIRED


async def test_signing_out_is_idempotent(auth: SubgraphClient, parent: Parent) -> None:
    for _ in range(2):
        assert (await auth.execute("mutation { signOut }", token=parent.access_token)).ok == {"signOut": True}
    assert (await refresh(auth, parent.refresh_token)) == EXPIRED


async def test_sessions_are_listed_while_they_are_open(auth: SubgraphClient, parent: Parent) -> None:
    signed_in = await auth.execute(SIGN_IN, {"email": parent.email, "password": PASSWORD})
    other = read_session_id(signed_in.ok["signIn"]["tokens"]["accessToken"])
    sessions = (await auth.execute(SESSIONS, token=parent.access_token)).ok["me"]["sessions"]
    agent = auth.http.headers["user-agent"]
    assert sessions == [
        {"id": other, "current": False, "userAgent": agent},
        {"id": read_session_id(parent.access_token), "current": True, "userAgent": agent},
    ]
    await auth.execute(f'mutation {{ revokeSession(id: "{other}") {{ id }} }}', token=parent.access_token)
    left = (await auth.execute(SESSIONS, token=parent.access_token)).ok["me"]["sessions"]
    assert [session["id"] for session in left] == [read_session_id(parent.access_token)]


async def test_a_revoked_sessions_refresh_token_never_works_again(
    auth: SubgraphClient, parent: Parent
) -> None:
    id_ = read_session_id(parent.access_token)
    mutation = f'mutation {{ revokeSession(id: "{id_}") {{ id }} }}'
    assert (await auth.execute(mutation, token=parent.access_token)).ok == {"revokeSession": {"id": id_}}
    assert await refresh(auth, parent.refresh_token) == EXPIRED


async def test_someone_elses_session_is_not_found(
    auth: SubgraphClient, sign_up: Callable[[], Awaitable[Parent]]
) -> None:
    me, other = await sign_up(), await sign_up()
    mutation = f'mutation {{ revokeSession(id: "{read_session_id(other.access_token)}") {{ id }} }}'
    assert (await auth.execute(mutation, token=me.access_token)).code == "NOT_FOUND"
    assert (await refresh(auth, other.refresh_token))["__typename"] == "SignedIn"


async def test_a_refresh_token_is_stored_only_as_a_hash(auth: SubgraphClient, parent: Parent) -> None:
    async with auth.runtime.database.read() as session:
        rows = await session.scalars(
            select(RefreshToken).where(RefreshToken.session_id == read_session_id(parent.access_token))
        )
        hashes = [row.hash for row in rows]
    assert len(hashes) == 1
    assert hashes[0] != parent.refresh_token
    assert len(hashes[0]) == 64


def read_session_id(access_token: str) -> str:
    return str(jwt.decode(access_token, options={"verify_signature": False})["sid"])
