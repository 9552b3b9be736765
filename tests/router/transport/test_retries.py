"""Retries: their budget, and the requests that are never retried."""

from hypothesis import given
from hypothesis import strategies as st

from router.telemetry import Metrics
from router.transport.address import Address
from router.transport.base import FetchOutcome, RequestContext
from router.transport.http import HttpTransport
from router.transport.http_client import HttpClient
from router.transport.retries import Retries, RetryBudget

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@given(st.floats(0, 1), st.lists(st.booleans(), max_size=200))
def test_retries_never_exceed_the_reserve_plus_the_share_of_fetches(share: float, steps: list[bool]):
    budget, fetches, retries = RetryBudget(share, max_balance=3), 0, 0
    for retry in steps:
        if retry:
            retries += budget.spend()
        else:
            fetches += 1
            budget.earn()
        assert retries <= 3 + share * fetches + 1e-6


def test_the_saved_budget_is_bounded():
    budget = RetryBudget(1.0, max_balance=2)
    for _ in range(100):
        budget.earn()
    assert [budget.spend() for _ in range(3)] == [True, True, False]


async def count_retries(body: bytes, context: RequestContext) -> float | None:
    """Counts the retries of a request to a subgraph that is down."""
    metrics = Metrics()
    async with HttpClient() as client:
        down = HttpTransport(client, {"books": Address.parse("http://127.0.0.1:1/graphql")}, 5.0, metrics)
        answer = await Retries(down, 2, 0.1, metrics).fetch("books", body, context)
    assert getattr(answer, "outcome", None) is not FetchOutcome.OK
    return metrics.registry.get_sample_value("router_subgraph_retries_total", {"subgraph": "books"})


async def test_queries_are_retried_and_mutations_are_not():
    context = RequestContext(None, TRACE)
    assert await count_retries(b'{"query":"{books{title}}"}', context) == 2.0
    assert await count_retries(b'{"query":"mutation{rename}"}', context) is None


async def test_nothing_is_retried_after_the_deadline():
    assert await count_retries(b'{"query":"{books{title}}"}', RequestContext(None, TRACE, (), 0.0)) is None
