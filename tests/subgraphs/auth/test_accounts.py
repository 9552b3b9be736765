"""Signing up, signing in and `me`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import jwt
import pytest
from sqlalchemy import func, select

from subgraphs.auth.models import User
from subgraphs.common.clock import utc_now
from subgraphs.common.identity import TokenVerifier
from tests.subgraphs.auth.accounts import SIGN_IN, build_details
from tests.subgraphs.auth.conftest import PASSWORD, SIGN_UP, Parent
from tests.support.subgraph import SubgraphClient
from tests.support.tokens import SIGNING_KEY, compute_thumbprint, sign_token


async def test_signing_up_signs_in(auth: SubgraphClient) -> None:
    answer = await auth.execute(SIGN_UP, build_details(displayName="Ana"))
    signed_in = answer.ok["signUp"]
    me = await auth.execute("{ me { id displayName } }", token=signed_in["tokens"]["accessToken"])
    assert me.ok["me"] == {"id": signed_in["user"]["id"], "displayName": "Ana"}
    assert signed_in["tokens"]["expiresIn"] == 600
    assert signed_in["tokens"]["tokenType"] == "Bearer"


async def test_an_access_token_has_the_claims_of_the_platform(auth: SubgraphClient, parent: Parent) -> None:
    claims = jwt.decode(
        parent.access_token, SIGNING_KEY.public_key(), algorithms=["ES256"], issuer="memorable"
    )
    assert claims.keys() == {"sub", "scope", "sid", "iat", "exp", "iss"}
    assert claims["sub"] == parent.id
    assert claims["scope"] == ["parent"]
    assert claims["exp"] - claims["iat"] == 600


async def test_the_published_key_verifies_what_auth_signs(auth: SubgraphClient, parent: Parent) -> None:
    verifier = TokenVerifier(f"{auth.address}/.well-known/jwks.json", "memorable", utc_now)
    assert (await verifier.verify(parent.access_token)).user_id == parent.id


async def test_only_the_public_half_of_the_key_is_published(auth: SubgraphClient) -> None:
    response = await auth.http.get("/.well-known/jwks.json")
    [key] = response.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert key["kid"] == compute_thumbprint(SIGNING_KEY)


async def test_an_address_can_be_used_once_in_any_spelling(auth: SubgraphClient, parent: Parent) -> None:
    answer = await auth.execute(SIGN_UP, build_details(email=f"  {parent.email.upper()} "))
    assert answer.ok["signUp"] == {
        "__typename": "EmailTaken",
        "message": "There is already an account with this e-mail address.",
    }


async def test_one_of_many_concurrent_sign_ups_with_one_address_succeeds(auth: SubgraphClient) -> None:
    same = build_details()
    answers = await asyncio.gather(*(auth.execute(SIGN_UP, same) for _ in range(4)))
    outcomes = sorted(answer.ok["signUp"]["__typename"] for answer in answers)
    assert outcomes == ["EmailTaken"] * 3 + ["SignedIn"]


async def test_the_right_password_signs_in(auth: SubgraphClient, parent: Parent) -> None:
    answer = await auth.execute(SIGN_IN, {"email": parent.email.title(), "password": PASSWORD})
    assert answer.ok["signIn"]["user"] == {"id": parent.id}


@pytest.mark.parametrize("password", ["wrong wrong wrong", "", "x" * 5000])
async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    auth: SubgraphClient, parent: Parent, password: str
) -> None:
    known = await auth.execute(SIGN_IN, {"email": parent.email, "password": password})
    unknown = await auth.execute(SIGN_IN, {"email": f"{uuid4().hex}@example.org", "password": password})
    assert known.ok == unknown.ok
    assert known.ok["signIn"] == {
        "__typename": "InvalidCredentials",
        "message": "The e-mail address or the password is wrong.",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "ana"),
        ("email", "ana@home"),
        ("email", "ana@@example.org"),
        ("email", "ana @example.org"),
        ("email", f"{'a' * 300}@example.org"),
        ("password", "too short"),
        ("password", "x" * 129),
        ("displayName", "  "),
        ("displayName", "x" * 81),
        ("displayName", "x" * 5000),
        ("displayName", "Ana\x00"),
    ],
)
async def test_an_invalid_account_is_refused_with_the_field(
    auth: SubgraphClient, field: str, value: str
) -> None:
    before = await count_users(auth)
    answer = await auth.execute(SIGN_UP, build_details(**{field: value}))
    assert (answer.data, answer.code, answer.field) == (None, "BAD_USER_INPUT", field)
    assert await count_users(auth) == before


@pytest.mark.parametrize("name", ["Ana 👩🏽‍🚀", "<script>alert(1)</script>", "Zoë & 'Ana\"", "日本"])
async def test_a_name_with_emoji_or_markup_is_stored_unchanged(auth: SubgraphClient, name: str) -> None:
    answer = await auth.execute(SIGN_UP, build_details(displayName=name))
    assert answer.ok["signUp"]["user"]["displayName"] == name


@pytest.mark.parametrize("invisible", ["\u202e", "\u2066", "\u200b", "\u00ad", "\ufeff"])
async def test_a_name_keeps_no_invisible_characters(auth: SubgraphClient, invisible: str) -> None:
    answer = await auth.execute(SIGN_UP, build_details(displayName=f"An{invisible}a"))
    assert answer.ok["signUp"]["user"]["displayName"] == "Ana"


async def test_the_password_is_stored_only_as_an_argon2id_hash(auth: SubgraphClient, parent: Parent) -> None:
    async with auth.runtime.database.read() as session:
        user = await session.get_one(User, parent.id)
    assert user.password_hash.startswith("$argon2id$")
    assert PASSWORD not in repr(vars(user))


async def test_me_without_a_token_is_unauthenticated(auth: SubgraphClient) -> None:
    assert (await auth.execute("{ me { id } }")).code == "UNAUTHENTICATED"


async def test_me_with_a_token_of_a_deleted_account_is_unauthenticated(auth: SubgraphClient) -> None:
    assert (await auth.execute("{ me { id } }", token=sign_token("usr_gone"))).code == "UNAUTHENTICATED"


async def test_a_reference_resolves_only_to_the_caller(
    auth: SubgraphClient, sign_up: Callable[[], Awaitable[Parent]]
) -> None:
    me, other = await sign_up(), await sign_up()
    references = [{"__typename": "User", "id": id_} for id_ in (me.id, other.id, "usr_none")]
    assert await auth.resolve_entities("... on User { email }", references, me.access_token) == [
        {"email": me.email},
        None,
        None,
    ]
    assert await auth.resolve_entities("... on User { email }", references) == [None, None, None]


async def count_users(auth: SubgraphClient) -> int:
    async with auth.runtime.database.read() as session:
        return (await session.execute(select(func.count()).select_from(User))).scalar_one()
