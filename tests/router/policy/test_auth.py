"""Verification of tokens against a key set that is served over HTTP."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from router.errors import IdentityUnavailableError, UnauthenticatedError
from router.policy.auth import (
    CLOCK_LEEWAY_SECONDS,
    MAX_HEADER_CHARACTERS,
    MAX_KEY_SET_BYTES,
    REFETCH_COOLDOWN_SECONDS,
    REPORT_AFTER_SECONDS,
    RETRY_COOLDOWN_SECONDS,
    Identity,
    KeySet,
    TokenVerifier,
)
from tests.router.identity import IdentityService


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def open_verifier(
    service: IdentityService, clock: Clock | None = None, wall: Callable[[], float] = time.time
) -> AsyncIterator[TokenVerifier]:
    async with service.serve() as address, aiohttp.ClientSession() as session:
        yield TokenVerifier(KeySet(address, session, clock or Clock()), "memorable", wall)


async def test_a_valid_token_names_its_subject_and_scopes():
    service = IdentityService()
    async with open_verifier(service) as tokens:
        token = service.issue_token(scope=["parent", "staff"])
        assert await tokens.identify(f"bearer {token}") == Identity("user_1", frozenset({"parent", "staff"}))


async def test_a_request_without_a_token_is_anonymous_and_fetches_no_keys():
    service = IdentityService()
    async with open_verifier(service) as tokens:
        assert await tokens.identify(None) is None
    assert service.fetches == 0


async def test_the_key_set_is_fetched_once_for_many_tokens():
    service = IdentityService()
    async with open_verifier(service) as tokens:
        for _ in range(3):
            await tokens.identify(f"Bearer {service.issue_token()}")
    assert service.fetches == 1


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": 1}, "The token has expired."),
        ({"iss": "someone-else"}, "The token is invalid."),
        ({"sub": 7}, "The token is invalid."),
        ({"iat": 99999999999}, "The token is invalid."),
        ({"exp": float("inf")}, "The token is invalid."),
        ({"exp": float("nan")}, "The token is invalid."),
        ({"exp": 10**4000}, "The token is invalid."),
        ({"exp": 10**12}, "The token is invalid."),
        ({"exp": "99999999999"}, "The token is invalid."),
        ({"exp": [1]}, "The token is invalid."),
        ({"exp": True}, "The token has expired."),
        ({"iat": float("-inf")}, "The token is invalid."),
        ({"iat": -1}, "The token is invalid."),
        ({"iat": True}, "The token is invalid."),
        ({"nbf": float("inf")}, "The token is invalid."),
    ],
)
async def test_invalid_claims_are_refused(claims: dict[str, Any], message: str):
    service = IdentityService()
    async with open_verifier(service) as tokens:
        with pytest.raises(UnauthenticatedError) as refusal:
            await tokens.identify(f"Bearer {service.issue_token(**claims)}")
    assert refusal.value.message == message


async def test_clocks_may_differ_by_five_seconds():
    service, now = IdentityService(), int(time.time())
    tolerated: list[dict[str, Any]] = [{"iat": now + 4, "nbf": now + 4}, {"exp": now - 2}]
    refused: list[dict[str, Any]] = [{"iat": now + 60}, {"nbf": now + 60}, {"exp": now - 6}]
    async with open_verifier(service) as tokens:
        for claims in tolerated:
            assert await tokens.identify(f"Bearer {service.issue_token(**claims)}") is not None
        for claims in refused:
            with pytest.raises(UnauthenticatedError):
                await tokens.identify(f"Bearer {service.issue_token(**claims)}")


@pytest.mark.parametrize("missing", ["sub", "exp", "iat", "iss"])
async def test_a_token_without_a_required_claim_is_refused(missing: str):
    service = IdentityService()
    now = int(time.time())
    claims = {"sub": "user_1", "iat": now, "exp": now + 60, "iss": "memorable"}
    del claims[missing]
    token = jwt.encode(claims, service.keys["first"], algorithm="ES256", headers={"kid": "first"})
    async with open_verifier(service) as tokens:
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(f"Bearer {token}")


@pytest.mark.parametrize("header", ["", "Basic dXNlcjpwYXNz", "Bearer", "Bearer not-a-token", "Bearer a.b.c"])
async def test_headers_without_a_well_formed_token_are_refused(header: str):
    async with open_verifier(IdentityService()) as tokens:
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(header)


async def test_a_token_signed_by_another_key_of_the_same_id_is_refused():
    service = IdentityService()
    forged = service.issue_token(key=ec.generate_private_key(ec.SECP256R1()))
    async with open_verifier(service) as tokens:
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(f"Bearer {forged}")


async def test_a_token_signed_with_a_shared_secret_is_refused():
    service = IdentityService()
    now = int(time.time())
    claims = {"sub": "user_1", "iat": now, "exp": now + 60, "iss": "memorable"}
    secret = "x" * 64
    forged = jwt.encode(claims, secret, algorithm="HS256", headers={"kid": "first"})
    async with open_verifier(service) as tokens:
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(f"Bearer {forged}")


async def test_a_rotated_key_is_found_after_the_cooldown():
    service, clock = IdentityService(), Clock()
    async with open_verifier(service, clock) as tokens:
        await tokens.identify(f"Bearer {service.issue_token()}")
        service.keys["second"] = ec.generate_private_key(ec.SECP256R1())
        clock.now += REFETCH_COOLDOWN_SECONDS
        identity = await tokens.identify(f"Bearer {service.issue_token('second')}")
    assert identity is not None
    assert service.fetches == 2


async def test_made_up_key_ids_cost_one_fetch_per_cooldown():
    service, clock = IdentityService(), Clock()
    stranger = ec.generate_private_key(ec.SECP256R1())
    async with open_verifier(service, clock) as tokens:
        for number in range(5):
            with pytest.raises(UnauthenticatedError):
                await tokens.identify(f"Bearer {service.issue_token(f'unknown-{number}', stranger)}")
    assert service.fetches == 1


async def test_known_keys_stay_valid_while_the_identity_service_is_down():
    service, clock = IdentityService(), Clock()
    stranger = ec.generate_private_key(ec.SECP256R1())
    async with open_verifier(service, clock) as tokens:
        await tokens.identify(f"Bearer {service.issue_token()}")
        service.is_up = False
        clock.now += REFETCH_COOLDOWN_SECONDS
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(f"Bearer {service.issue_token('unknown', stranger)}")
        assert await tokens.identify(f"Bearer {service.issue_token()}") is not None


async def test_without_any_keys_a_token_cannot_be_verified():
    service = IdentityService()
    service.is_up = False
    async with open_verifier(service) as tokens:
        with pytest.raises(IdentityUnavailableError):
            await tokens.identify(f"Bearer {service.issue_token()}")


async def test_claims_with_too_many_digits_or_levels_are_refused():
    service = IdentityService()
    async with open_verifier(service) as tokens:
        for payload in (
            b'{"sub": "user_1", "iss": "memorable", "iat": 1, "exp": ' + b"9" * 5000 + b"}",
            b"[" * 3000,
        ):
            token = jwt.api_jws.encode(
                payload, service.keys["first"], algorithm="ES256", headers={"kid": "first"}
            )
            with pytest.raises(UnauthenticatedError) as refusal:
                await tokens.identify(f"Bearer {token}")
            assert refusal.value.message == "The token is invalid."


async def test_a_token_whose_header_is_nested_too_deeply_is_refused():
    deep = base64.urlsafe_b64encode(b"[" * 3000).decode()
    async with open_verifier(IdentityService()) as tokens:
        with pytest.raises(UnauthenticatedError):
            await tokens.identify(f"Bearer {deep}.e30.e30")


@pytest.mark.parametrize("scope", [7, {"parent": True}, None])
async def test_scopes_that_are_not_strings_are_ignored(scope: Any):
    service = IdentityService()
    async with open_verifier(service) as tokens:
        assert await tokens.identify(f"Bearer {service.issue_token(scope=scope)}") == Identity(
            "user_1", frozenset()
        )


async def test_an_overlong_header_is_refused_before_it_is_parsed():
    service = IdentityService()
    async with open_verifier(service) as tokens:
        with pytest.raises(UnauthenticatedError) as refusal:
            await tokens.identify("Bearer " + "x" * MAX_HEADER_CHARACTERS)
    assert refusal.value.message == "The Authorization header is longer than 8192 characters."
    assert service.fetches == 0


async def test_a_verified_token_is_not_verified_again():
    service = IdentityService()
    async with open_verifier(service) as tokens:
        header = f"Bearer {service.issue_token()}"
        assert await tokens.identify(header) is await tokens.identify(header)


async def test_a_verified_token_is_refused_once_it_has_expired():
    service, wall = IdentityService(), Clock()
    wall.now = time.time()
    async with open_verifier(service, wall=wall) as tokens:
        header = f"Bearer {service.issue_token(exp=int(wall.now) + 60)}"
        await tokens.identify(header)
        wall.now += 60
        assert await tokens.identify(header) is not None
        wall.now += CLOCK_LEEWAY_SECONDS
        with pytest.raises(UnauthenticatedError) as refusal:
            await tokens.identify(header)
    assert refusal.value.message == "The token has expired."


async def test_a_verified_token_is_refused_once_its_key_is_no_longer_published():
    service, clock = IdentityService(), Clock()
    async with open_verifier(service, clock) as tokens:
        old = f"Bearer {service.issue_token()}"
        await tokens.identify(old)
        service.keys = {"second": ec.generate_private_key(ec.SECP256R1())}
        clock.now += REFETCH_COOLDOWN_SECONDS
        assert await tokens.identify(f"Bearer {service.issue_token('second')}") is not None
        with pytest.raises(UnauthenticatedError) as refusal:
            await tokens.identify(old)
    assert refusal.value.message == "The token is signed with an unknown key."


async def test_without_keys_the_key_set_is_fetched_once_per_cooldown():
    service, clock = IdentityService(), Clock()
    service.is_up = False
    async with open_verifier(service, clock) as tokens:
        header = f"Bearer {service.issue_token()}"
        outcomes = await asyncio.gather(*(tokens.identify(header) for _ in range(9)), return_exceptions=True)
        assert {type(each) for each in outcomes} == {IdentityUnavailableError}
        assert service.fetches == 1
        service.is_up = True
        clock.now += RETRY_COOLDOWN_SECONDS
        assert await tokens.identify(header) is not None


@pytest.mark.parametrize(
    "published",
    [b"{", b"[]", b'{"keys": 7}', b'{"keys": [7, {"kty": "EC"}]}', b" " * (MAX_KEY_SET_BYTES + 1)],
)
async def test_an_invalid_key_set_gives_no_keys(published: bytes):
    service = IdentityService()
    service.body = published
    async with open_verifier(service) as tokens:
        with pytest.raises(IdentityUnavailableError):
            await tokens.identify(f"Bearer {service.issue_token()}")


async def test_a_key_set_is_reported_only_if_it_stays_unavailable(caplog: pytest.LogCaptureFixture):
    service, clock = IdentityService(), Clock()
    service.is_up = False
    async with service.serve() as address, aiohttp.ClientSession() as session:
        keys = KeySet(address, session, clock)
        for pause in (0, REPORT_AFTER_SECONDS - RETRY_COOLDOWN_SECONDS):
            clock.now += pause
            assert not await keys.is_available()
            assert caplog.records == []
        clock.now += RETRY_COOLDOWN_SECONDS
        for _ in range(2):
            assert not await keys.is_available()
            clock.now += RETRY_COOLDOWN_SECONDS
    [warning] = caplog.records
    assert warning.getMessage() == "The key set cannot be fetched; no token can be verified"
    assert vars(warning)["metadata"] == {"reason": "the response has the status 500"}


async def test_a_key_set_that_comes_late_is_not_reported(caplog: pytest.LogCaptureFixture):
    service, clock = IdentityService(), Clock()
    service.is_up = False
    async with service.serve() as address, aiohttp.ClientSession() as session:
        keys = KeySet(address, session, clock)
        assert not await keys.is_available()
        service.is_up = True
        clock.now += RETRY_COOLDOWN_SECONDS
        assert await keys.is_available()
    assert caplog.records == []
