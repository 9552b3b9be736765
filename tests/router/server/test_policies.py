"""`@policy` at a running router with a decision point."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.router.decision_point import DecisionPoint, FixedAnswer, NeverAnswering
from tests.router.library import SUPERGRAPH
from tests.router.running_library import Library, run_library
from tests.router.server.event_streams import read_events

POLICY = '@policy(policies: [["books_open"], ["manager", "weekday"]])'
LEDGER = "{ ledger books { title } }"
FORBIDDEN = {
    "message": "The caller lacks a required scope or policy.",
    "path": ["ledger"],
    "extensions": {"code": "FORBIDDEN"},
}


@asynccontextmanager
async def run_governed_library(point: DecisionPoint, folder: Path, **settings: Any) -> AsyncIterator[Library]:
    """Runs the library with `@policy` on its `ledger` and its `private` stream."""
    sdl = SUPERGRAPH.read_text().replace('@requiresScopes(scopes: [["staff"]])', POLICY)
    file = folder / "supergraph.graphql"
    file.write_text(sdl.replace("@join__field(graph: BOOKS) @authenticated\n}", f"{POLICY}\n}}"))
    async with (
        point.serve() as url,
        run_library(supergraph=file, router_policy_url=url, **settings) as library,
    ):
        yield library


async def test_an_operation_runs_if_its_policies_hold(tmp_path: Path):
    point = DecisionPoint(manager=True, weekday=True, books_open=False)
    async with run_governed_library(point, tmp_path) as library:
        token = library.identities.issue_token(tenant="north")
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        answer = await library.execute(
            "{ ledger again: ledger }", authorization=f"Bearer {token}", traceparent=trace
        )
    assert answer == {"data": {"ledger": "balanced", "again": "balanced"}}
    [request] = point.requests
    assert request["input"]["policies"] == ["books_open", "manager", "weekday"]
    claims = request["input"]["claims"]
    assert claims.items() >= {"sub": "user_1", "scope": ["parent"], "tenant": "north"}.items()
    assert request.keys() == {"input"}
    assert request["input"].keys() == {"policies", "claims"}
    assert point.headers[0]["traceparent"].split("-")[1] == trace.split("-")[1]


@pytest.mark.parametrize(
    "point",
    [
        DecisionPoint(manager=True),
        DecisionPoint(books_open="yes"),
        FixedAnswer(b'{"result": {"books_open": true}}', 503),
        FixedAnswer(b"garbage"),
        NeverAnswering(),
    ],
)
async def test_an_operation_whose_policies_do_not_hold_fetches_nothing(tmp_path: Path, point: DecisionPoint):
    async with run_governed_library(point, tmp_path, router_policy_timeout=0.2) as library:
        assert await library.execute(LEDGER) == {"errors": [FORBIDDEN]}
        assert library.books.requests == []
    assert len(point.requests) == 1


async def test_an_operation_without_policies_does_not_call_the_decision_point(tmp_path: Path):
    point = NeverAnswering()
    async with run_governed_library(point, tmp_path) as library:
        assert await library.execute("{ average }") == {"data": {"average": 4.5}}
    assert point.requests == []


async def test_the_policies_of_a_subscription_are_decided_once_at_its_start(tmp_path: Path):
    point = DecisionPoint(books_open=True)
    headers = {"accept": "text/event-stream"}
    body = {"query": "subscription { private { title } }"}
    async with run_governed_library(point, tmp_path) as library:
        async with library.client.post(library.url, json=body, headers=headers) as response:
            text = await response.text()
        point.result = {}
        async with library.client.post(library.url, json=body, headers=headers) as response:
            refusal = await read_events(response)
    assert '{"data":{"private":{"title":"Moon"}}}' in text
    assert refusal == [("next", {"errors": [{**FORBIDDEN, "path": ["private"]}]}), ("complete", None)]
    assert len(point.requests) == 2
