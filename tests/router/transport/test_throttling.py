"""Throttling of callers to whom a subgraph answered `retry-after`."""

from typing import Any

from router.transport.base import FetchFailure, FetchOutcome, RequestContext
from router.transport.throttling import MAX_CALLERS, Throttling


class Limited:
    """A transport whose fetches are all throttled for ten seconds."""

    def __init__(self) -> None:
        self.request_count = 0

    async def fetch(self, subgraph: str, _body: bytes, _context: RequestContext) -> dict[str, Any]:
        self.request_count += 1
        return FetchFailure(subgraph, FetchOutcome.THROTTLED, 10)


def build_context(name: str, *headers: tuple[str, str]) -> RequestContext:
    return RequestContext(name, "00-trace", headers)


async def test_a_throttled_caller_is_refused_at_that_subgraph_until_its_time_has_passed():
    now, limited = 0.0, Limited()
    throttling = Throttling(limited, lambda: now)
    for subgraph, context in [
        ("a", build_context("x")),
        ("a", build_context("x")),
        ("a", build_context("y")),
        ("b", build_context("x")),
    ]:
        await throttling.fetch(subgraph, b"", context)
    assert limited.request_count == 3
    await throttling.fetch("a", b"", build_context("x", ("x-tenant", "fox")))
    assert limited.request_count == 4
    now = 9.5
    answer = await throttling.fetch("a", b"", build_context("x"))
    assert isinstance(answer, FetchFailure)
    assert (answer.retry_after, limited.request_count) == (1, 4)
    now = 10.0
    await throttling.fetch("a", b"", build_context("x"))
    assert limited.request_count == 5


async def test_the_memory_of_throttled_callers_is_bounded():
    throttling = Throttling(Limited(), lambda: 0.0)
    for number in range(MAX_CALLERS + 10):
        await throttling.fetch("a", b"", build_context(f"{number}"))
    assert len(throttling._until) == MAX_CALLERS
    assert all(isinstance(key, int) for key in throttling._until)
