"""Tokens verified against a real JWKS address."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from router.errors import IdentityUnavailableError, UnauthenticatedError
from router.policy.auth import REFETCH_COOLDOWN, Identity, KeySet, TokenVerifier
from tests.router.identity import IdentityService


class Clock:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def verifier(service: IdentityService, clock: Clock | None = None) -> AsyncIterator[TokenVerifier]:
    async with service.published() as address, aiohttp.ClientSession() as session:
        yield TokenVerifier(KeySet(address, session, clock or Clock()), "memorable")


async def test_a_valid_token_names_its_subject_and_scopes():
    service = IdentityService()
    async with verifier(service) as tokens:
        token = service.token(scope=["parent", "staff"])
        assert await tokens.identify(f"bearer {token}") == Identity("user_1", frozenset({"parent", "staff"}))


async def test_no_header_is_an_anonymous_caller_and_asks_for_no_keys():
    service = IdentityService()
    async with verifier(service) as tokens:
        assert await tokens.identify(None) is None
    assert service.fetches == 0


async def test_the_key_set_is_fetched_once_for_many_tokens():
    service = IdentityService()
    async with verifier(service) as tokens:
        for _ in range(3):
            await tokens.identify(f"Bearer {service.token()}")
    assert service.fetches == 1


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": 1}, "The token has expired."),
        ({"iss": "someone-else"}, "The token is not valid."),
        ({"sub": 7}, "The token is not valid."),
        ({"iat": 99999999999}, "The token is not valid."),
    ],
)
async def test_claims_that_do_not_hold_are_refused(claims: dict[str, Any], message: str):
    service = IdentityService()
    async with verifier(service) as tokens:
        with pytest.raises(UnauthenticatedError) as refusal:
            await tokens.identify(f"Bearer {service.token(**claims)}")
    assert refusal.value.message == message


@pytest.mark.parametrize("missing", ["sub", "exp", "iat", "iss"])
async def test_a_token_without_a_required_claim_is_refused(missing: str):
    service = IdentityService()
    now = int(time.time())
    claims = {"sub": "user_1", "iat": now, "exp": now + 60, "iss": "memorable"}
    del claims[missing]
    token = jwt.encode(claims, service.keys["first"], algorithm="ES256", headers={"kid": "first"})
    async with verifier(service) as tokens:
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(f"Bearer {token}")


@pytest.mark.parametrize("header", ["", "Basic dXNlcjpwYXNz", "Bearer", "Bearer not-a-token", "Bearer a.b.c"])
async def test_headers_that_hold_no_token_are_refused(header: str):
    async with verifier(IdentityService()) as tokens:
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(header)


async def test_a_token_signed_by_another_key_of_the_same_id_is_refused():
    service = IdentityService()
    forged = service.token(key=ec.generate_private_key(ec.SECP256R1()))
    async with verifier(service) as tokens:
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(f"Bearer {forged}")


async def test_a_token_signed_with_a_shared_secret_is_refused():
    service = IdentityService()
    now = int(time.time())
    claims = {"sub": "user_1", "iat": now, "exp": now + 60, "iss": "memorable"}
    secret = "x" * 64
    forged = jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "first"})
    async with verifier(service) as tokens:
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(f"Bearer {forged}")


async def test_a_rotated_key_is_found_after_the_cooldown():
    service, clock = IdentityService(), Clock()
    async with verifier(service, clock) as tokens:
        await tokens.identify(f"Bearer {service.token()}")
        service.keys["second"] = ec.generate_private_key(ec.SECP256R1())
        clock.now += REFETCH_COOLDOWN
        identity = await tokens.identify(f"Bearer {service.token('second')}")
    assert identity is not None
    assert service.fetches == 2


async def test_made_up_key_ids_cost_one_fetch_per_cooldown():
    service, clock = IdentityService(), Clock()
    stranger = ec.generate_private_key(ec.SECP256R1())
    async with verifier(service, clock) as tokens:
        for number in range(5):
            with pytest.raises(UnauthenticatedError):
                await tokens.identify(f"Bearer {service.token(f'unknown-{number}', stranger)}")
    assert service.fetches == 1


async def test_known_keys_outlive_an_identity_service_that_is_down():
    service, clock = IdentityService(), Clock()
    stranger = ec.generate_private_key(ec.SECP256R1())
    async with verifier(service, clock) as tokens:
        await tokens.identify(f"Bearer {service.token()}")
        service.up = False
        clock.now += REFETCH_COOLDOWN
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(f"Bearer {service.token('unknown', stranger)}")
        assert await tokens.identify(f"Bearer {service.token()}") is not None


async def test_without_any_keys_a_token_is_neither_right_nor_wrong():
    service = IdentityService()
    service.up = False
    async with verifier(service) as tokens:
        with pytest.raises(IdentityUnavailableError):
            await tokens.identify(f"Bearer {service.token()}")
