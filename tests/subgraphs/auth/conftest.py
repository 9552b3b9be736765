"""The running auth subgraph and parents who have signed up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.subgraph import SubgraphClient, run_subgraph
from tests.support.tokens import write_signing_key

SIGN_UP = """
mutation ($input: SignUpInput!) {
  signUp(input: $input) {
    __typename
    ... on SignedIn {
      user { id email displayName }
      tokens { accessToken refreshToken expiresIn tokenType }
    }
    ... on EmailTaken { message }
  }
}
"""

PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Parent:
    """Someone who signed up."""

    id: str
    email: str
    access_token: str
    refresh_token: str


@pytest.fixture
async def auth(servers: Mapping[str, str], tmp_path: Path) -> AsyncIterator[SubgraphClient]:
    key_file = str(write_signing_key(tmp_path))
    async with run_subgraph("auth", {**servers, "AUTH_SIGNING_KEY_FILE": key_file}) as client:
        yield client


@pytest.fixture
def sign_up(auth: SubgraphClient) -> Callable[[], Awaitable[Parent]]:
    """Signs up a parent with an address of their own."""

    async def sign_up() -> Parent:
        email = f"{uuid4().hex}@example.org"
        answer = await auth.execute(
            SIGN_UP, {"input": {"email": email, "password": PASSWORD, "displayName": "Ana"}}
        )
        signed_in = answer.ok["signUp"]
        return Parent(
            signed_in["user"]["id"],
            email,
            signed_in["tokens"]["accessToken"],
            signed_in["tokens"]["refreshToken"],
        )

    return sign_up


@pytest.fixture
async def parent(sign_up: Callable[[], Awaitable[Parent]]) -> Parent:
    return await sign_up()
