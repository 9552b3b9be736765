"""`@policy`, asked of a running router that has a decision point."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.router.decision_point import DecisionPoint, Saying, Silent
from tests.router.library import SUPERGRAPH
from tests.router.running import Library, opened
from tests.router.server.event_streams import events

POLICY = '@policy(policies: [["books_open"], ["manager", "weekday"]])'
LEDGER = "{ ledger books { title } }"
FORBIDDEN = {
    "message": "The caller lacks a required scope or policy.",
    "path": ["ledger"],
    "extensions": {"code": "FORBIDDEN"},
}


@asynccontextmanager
async def governed(point: DecisionPoint, folder: Path, **settings: Any) -> AsyncIterator[Library]:
    """The library, whose ledger and private stream are a matter of policy."""
    sdl = SUPERGRAPH.read_text().replace('@requiresScopes(scopes: [["staff"]])', POLICY)
    file = folder / "supergraph.graphql"
    file.write_text(sdl.replace("@join__field(graph: BOOKS) @authenticated\n}", f"{POLICY}\n}}"))
    async with (
        point.served() as url,
        opened(supergraph=file, router_policy_url=url, **settings) as library,
    ):
        yield library


async def test_an_operation_runs_if_its_policies_hold(tmp_path: Path):
    point = DecisionPoint(manager=True, weekday=True, books_open=False)
    async with governed(point, tmp_path) as library:
        token = library.identities.token(tenant="north")
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        answer = await library.ask(
            "{ ledger again: ledger }", authorization=f"Bearer {token}", traceparent=trace
        )
    assert answer == {"data": {"ledger": "balanced", "again": "balanced"}}
    [question] = point.questions
    assert question["input"]["policies"] == ["books_open", "manager", "weekday"]
    claims = question["input"]["claims"]
    assert claims.items() >= {"sub": "user_1", "scope": ["parent"], "tenant": "north"}.items()
    assert question.keys() == {"input"}
    assert question["input"].keys() == {"policies", "claims"}
    assert point.headers[0]["traceparent"].split("-")[1] == trace.split("-")[1]


@pytest.mark.parametrize(
    "point",
    [
        DecisionPoint(manager=True),
        DecisionPoint(books_open="yes"),
        Saying(b'{"result": {"books_open": true}}', 503),
        Saying(b"garbage"),
        Silent(),
    ],
)
async def test_without_its_policies_nothing_of_an_operation_is_fetched(tmp_path: Path, point: DecisionPoint):
    async with governed(point, tmp_path, router_policy_timeout=0.2) as library:
        assert await library.ask(LEDGER) == {"errors": [FORBIDDEN]}
        assert library.shelf.requests == []
    assert len(point.questions) == 1


async def test_an_operation_without_policies_asks_nobody(tmp_path: Path):
    point = Silent()
    async with governed(point, tmp_path) as library:
        assert await library.ask("{ average }") == {"data": {"average": 4.5}}
    assert point.questions == []


async def test_a_subscription_is_judged_once_at_its_start(tmp_path: Path):
    point = DecisionPoint(books_open=True)
    headers = {"accept": "text/event-stream"}
    question = {"query": "subscription { private { title } }"}
    async with governed(point, tmp_path) as library:
        async with library.client.post(library.url, json=question, headers=headers) as response:
            streamed = await response.text()
        point.result = {}
        async with library.client.post(library.url, json=question, headers=headers) as response:
            refused = await events(response)
    assert '{"data":{"private":{"title":"Moon"}}}' in streamed
    assert refused == [("next", {"errors": [{**FORBIDDEN, "path": ["private"]}]}), ("complete", None)]
    assert len(point.questions) == 2
