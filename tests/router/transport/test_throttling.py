"""Callers whom a subgraph has told to wait."""

from typing import Any

from router.transport.base import FetchFailure, FetchOutcome, RequestContext
from router.transport.throttling import MAX_CALLERS, Throttling


class Limited:
    """A way to a subgraph that allows nobody anything for ten seconds."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetch(self, subgraph: str, _body: bytes, _context: RequestContext) -> dict[str, Any]:
        self.asked += 1
        return FetchFailure(subgraph, FetchOutcome.THROTTLED, 10)


def caller(name: str, *headers: tuple[str, str]) -> RequestContext:
    return RequestContext(name, "00-trace", headers)


async def test_each_caller_waits_at_each_subgraph_as_long_as_it_was_told():
    now, limited = 0.0, Limited()
    throttling = Throttling(limited, lambda: now)
    for subgraph, context in [("a", caller("x")), ("a", caller("x")), ("a", caller("y")), ("b", caller("x"))]:
        await throttling.fetch(subgraph, b"", context)
    assert limited.asked == 3
    await throttling.fetch("a", b"", caller("x", ("x-tenant", "fox")))
    assert limited.asked == 4
    now = 9.5
    answer = await throttling.fetch("a", b"", caller("x"))
    assert isinstance(answer, FetchFailure)
    assert (answer.retry_after, limited.asked) == (1, 4)
    now = 10.0
    await throttling.fetch("a", b"", caller("x"))
    assert limited.asked == 5


async def test_only_so_many_callers_are_remembered_however_long_their_headers_are():
    throttling = Throttling(Limited(), lambda: 0.0)
    for number in range(MAX_CALLERS + 10):
        await throttling.fetch("a", b"", caller(f"{number}"))
    assert len(throttling._until) == MAX_CALLERS
    assert all(isinstance(key, int) for key in throttling._until)
