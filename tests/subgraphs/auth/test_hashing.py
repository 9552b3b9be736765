"""Limits on password hashing: concurrent hashes, and hashes in one request."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from subgraphs.auth import passwords
from subgraphs.auth.passwords import HashingPool
from subgraphs.auth.service.accounts import check_email, normalize_email
from subgraphs.common.errors import BadUserInput, Overloaded
from tests.subgraphs.auth.accounts import SIGN_IN, build_details
from tests.subgraphs.auth.conftest import PASSWORD, Parent
from tests.support.subgraph import SubgraphClient

BOMB = "a" + "\u0301" * 60_000 + "\u0327" * 60_000


async def test_a_hash_beyond_the_queue_is_refused_with_retry_after() -> None:
    pool, released = HashingPool(threads=1, waiting=2), threading.Event()
    waiting = [asyncio.create_task(pool.run(released.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as refused:
        await pool.run(lambda: True)
    assert refused.value.extensions == {"code": "OVERLOADED", "retryAfter": 2}
    released.set()
    assert await asyncio.gather(*waiting) == [True] * 3
    assert await pool.run(lambda: True)


async def test_a_cancelled_caller_frees_its_place() -> None:
    pool, released = HashingPool(threads=1, waiting=1), threading.Event()
    running = asyncio.create_task(pool.run(released.wait))
    waiting = asyncio.create_task(pool.run(released.wait))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    again = asyncio.create_task(pool.run(lambda: "hashed"))
    await asyncio.sleep(0)
    released.set()
    assert (await running, await again) == (True, "hashed")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a priority for each thread")
async def test_hashing_has_a_lower_priority_than_the_event_loop() -> None:
    def start_thread() -> int:
        with ThreadPoolExecutor(1) as started:
            return started.submit(get_nice_value).result()

    assert await HashingPool(threads=1, waiting=0).run(start_thread) == min(get_nice_value() + 10, 19)


def get_nice_value() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


async def test_many_sign_ins_do_not_block_other_requests(auth: SubgraphClient, parent: Parent) -> None:
    wrong = {"email": parent.email, "password": "not the password"}
    signing_in = [asyncio.create_task(auth.execute(SIGN_IN, wrong)) for _ in range(60)]
    while not any(task.done() for task in signing_in):
        assert (await auth.execute("{ me { id } }", token=parent.access_token)).ok == {
            "me": {"id": parent.id}
        }
    answers = await asyncio.gather(*signing_in)
    checked = [answer for answer in answers if not answer.errors]
    assert {answer.data["signIn"]["__typename"] for answer in checked} == {"InvalidCredentials"}
    assert {answer.code for answer in answers if answer.errors} <= {"OVERLOADED"}
    right = await auth.execute(SIGN_IN, {"email": parent.email, "password": PASSWORD})
    assert right.ok["signIn"]["user"] == {"id": parent.id}


@pytest.mark.parametrize("field", ["signIn", "signUp"])
async def test_one_request_checks_one_password(auth: SubgraphClient, parent: Parent, field: str) -> None:
    email = f"{uuid4().hex}@example.org"
    inputs = {
        "signIn": f'{{email: "{parent.email}", password: "guess"}}',
        "signUp": f'{{email: "{email}", password: "{PASSWORD}", displayName: "Ana"}}',
    }
    guesses = " ".join(
        f"g{number}: {name}(input: {inputs[name]}) {{ __typename }}"
        for number, name in enumerate([field, *["signIn", "signUp"] * 15])
    )
    answer = await auth.execute(f"mutation {{ {guesses} }}")
    assert [error["extensions"]["code"] for error in answer.errors] == ["OPERATION_TOO_LARGE"]
    assert answer.errors[0]["path"] == ["g1"]


@pytest.mark.parametrize("field", ["email", "password", "displayName"])
async def test_a_bomb_of_combining_marks_costs_nothing(auth: SubgraphClient, field: str) -> None:
    before = time.thread_time()
    answer = await auth.execute(
        "mutation ($input: SignUpInput!) { signUp(input: $input) { __typename } }",
        build_details(**{field: BOMB}),
    )
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)
    assert time.thread_time() - before < 1


def test_every_form_of_credentials_has_a_length_before_it_is_normalised() -> None:
    before = time.thread_time()
    assert normalize_email(BOMB) == ""
    for check in (check_email, passwords.check_password):
        with pytest.raises(BadUserInput):
            check(BOMB)
    assert time.thread_time() - before < 0.1


async def test_a_password_that_is_far_too_long_matches_nothing() -> None:
    assert not await passwords.verify_password(BOMB, None)


@pytest.mark.parametrize("email", ["a\u202eb@example.org", "a\u200b@example.org", "a@exam\u00adple.org"])
def test_an_address_with_invisible_characters_is_refused(email: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        check_email(email)
    assert refused.value.field == "email"
