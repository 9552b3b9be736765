"""A subgraph dies while it streams, and whoever watches through the router does not notice."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from infra.checkout import ROOT
from infra.local import Stack
from infra.local.environment import url_setting
from router.app import create_app
from router.settings import load
from subgraphs.common.settings import DOMAINS
from tests.e2e.family import WATCH, Family, Object
from tests.support.serving import serving


@pytest.fixture
async def over_websocket(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The address of another router, which subscribes to the ai subgraph over WebSocket."""
    monkeypatch.setenv("ROUTER_SUBSCRIPTIONS", '{"ai": {"protocol": "graphql_ws"}}')
    settings = load(
        supergraph=ROOT / "schema" / "supergraph.graphql",
        subgraph_urls={domain: stack.environ[url_setting(domain)] for domain in DOMAINS},
        jwks_url=f"{stack.urls['auth']}/.well-known/jwks.json",
        service_token=stack.environ["SERVICE_TOKEN"],
    )
    async with serving(create_app(settings)) as origin:
        yield f"{origin}/graphql"


async def watch_through_a_restart(
    stack: Stack, family: Family, watching: Family, how: signal.Signals
) -> None:
    generation_id = await family.generate(await family.book())
    streaming = stack.processes["ai"]
    seen: list[Object] = []
    async with aclosing(watching.watch(WATCH, id=generation_id, after=0)) as events:
        async for event in events:
            seen.append(event)
            if len(seen) == 20:
                os.kill(streaming, how)
    assert stack.processes["ai"] != streaming
    assert [event["sequence"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["__typename"] == "GenerationCompleted"
    assert seen == await family.watch_to_the_end(generation_id)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_watched_generation_goes_on_through_a_restart(
    stack: Stack, family: Family, how: signal.Signals
) -> None:
    await watch_through_a_restart(stack, family, family, how)


async def test_a_generation_that_comes_over_websocket_goes_on_through_a_restart(
    stack: Stack, family: Family, over_websocket: str
) -> None:
    await watch_through_a_restart(stack, family, replace(family, url=over_websocket), signal.SIGKILL)
