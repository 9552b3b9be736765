"""Passwords and their hashes."""

from __future__ import annotations

import pytest
from argon2 import extract_parameters

from subgraphs.auth import passwords
from subgraphs.common.errors import BadUserInput


async def test_only_the_password_matches_its_hash() -> None:
    password_hash = await passwords.hash_password("correct horse")
    assert await passwords.verify_password("correct horse", password_hash)
    assert not await passwords.verify_password("Correct horse", password_hash)


async def test_two_hashes_of_one_password_differ() -> None:
    assert await passwords.hash_password("correct horse") != await passwords.hash_password("correct horse")


async def test_without_an_account_a_password_is_hashed_as_well() -> None:
    password_hash = await passwords.hash_password("correct horse")
    assert extract_parameters(passwords._DECOY) == extract_parameters(password_hash)
    assert not await passwords.verify_password("correct horse", None)


async def test_a_password_matches_in_any_unicode_composition() -> None:
    composed, decomposed = "p\u00e4ssword-1", "pa\u0308ssword-1"
    password_hash = await passwords.hash_password(passwords.check_password(decomposed))
    assert await passwords.verify_password(composed, password_hash)


@pytest.mark.parametrize("length", [0, 9, 129, 5000])
def test_a_password_too_short_or_too_long_is_refused(length: int) -> None:
    with pytest.raises(BadUserInput) as refused:
        passwords.check_password("x" * length)
    assert refused.value.field == "password"


@pytest.mark.parametrize("length", [10, 128])
def test_a_password_of_any_allowed_length_is_hashed_completely(length: int) -> None:
    assert passwords.check_password(" " * length) == " " * length
