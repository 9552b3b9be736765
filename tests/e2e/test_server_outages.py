"""PostgreSQL is stopped, or Valkey killed, while a parent watches; both start again, Valkey empty."""

import os
import signal
from contextlib import aclosing

import pytest

from infra.local import Stack
from tests.e2e.conftest import FinishedBook
from tests.e2e.parent_client import WATCH_ORDER, Object, ParentClient, is_in_order

# The tests let PostgreSQL not wait for its disk: killed, it would lose what it has committed.
SIGNALS = {"postgres": signal.SIGINT, "valkey": signal.SIGKILL}
# Without what books knows: that may be null while PostgreSQL is unavailable.
WATCH = """subscription ($id: ID!, $after: Int!) { generation(id: $id, after: $after) {
  __typename sequence generation { id }
  ... on TextDelta { page { number } text }
  ... on PageWritten { page { number } }
  ... on IllustrationReady { page { number } illustration { id } }
} }"""


@pytest.mark.parametrize("server", ["postgres", "valkey"])
async def test_a_watched_generation_goes_on(stack: Stack, parent: ParentClient, server: str) -> None:
    generation_id = await parent.generate(await parent.create_book())
    seen: list[Object] = []
    async with aclosing(parent.watch(WATCH, id=generation_id, after=0)) as events:
        async for event in events:
            seen.append(event)
            if len(seen) == 20:
                os.kill(stack.processes[server], SIGNALS[server])
    assert is_in_order(seen)
    assert seen[-1]["__typename"] == "GenerationCompleted"
    async with aclosing(parent.watch(WATCH, id=generation_id, after=0)) as replayed:
        rows = [event async for event in replayed if event["__typename"] != "TextDelta"]
    assert [event for event in seen if event["__typename"] != "TextDelta"] == rows


@pytest.mark.parametrize("server", ["postgres", "valkey"])
async def test_a_watched_order_goes_on(stack: Stack, finished_book: FinishedBook, server: str) -> None:
    parent = finished_book.parent
    await parent.approve(finished_book.book_id)
    quote = await parent.create_quote(finished_book.book_id)
    order = await parent.pay(quote["id"])
    seen: list[Object] = []
    async with aclosing(parent.watch(WATCH_ORDER, id=order["id"], after=0)) as events:
        async for event in events:
            seen.append(event)
            if len(seen) == 2:
                os.kill(stack.processes[server], SIGNALS[server])
            if event["status"] == "SHIPPED":
                break
    statuses = ["AWAITING_PAYMENT", "PAID", "PREPARING", "IN_PRODUCTION", "SHIPPED"]
    assert [(event["sequence"], event["status"]) for event in seen] == list(enumerate(statuses, start=1))
