"""Unexpected errors: masked for the client, logged in full."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from router.admission import Admission
from router.config.settings import Limits, load
from router.pipeline import Pipeline
from router.pipeline.operation_cache import OperationCache
from router.pipeline.operation_log import OperationLog
from router.pipeline.preparation import Preparation
from router.pipeline.single_flight import open_single_flight
from router.policy.decisions import PolicyDecisions
from router.policy.documents import Documents
from router.policy.overrides import Overrides
from router.policy.subscriptions import SubscriptionLimits
from router.server.application import Application, Service
from router.server.http import HttpEndpoint
from router.server.request_bodies import RequestBodies
from router.server.responses import Responses
from router.server.single_connection import EventStreams
from router.server.websocket import SUBPROTOCOL, WebSocketSession
from router.supergraph import Supergraph
from router.telemetry import Metrics
from router.transport.base import RequestContext
from router.transport.forwarding import Forwarding
from tests.router.library import SUPERGRAPH
from tests.support.serving import serve_app

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
MASKED = {
    "message": "Internal server error",
    "extensions": {"code": "INTERNAL_SERVER_ERROR", "traceId": TRACE_ID},
}


class FaultyTransport:
    """A transport that raises, against the contract of `Transport`."""

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        raise RuntimeError("the password is 1234")


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """A router whose transport is faulty."""
    metrics = Metrics()
    supergraph = Supergraph.parse(SUPERGRAPH.read_text())
    limits, overrides = Limits.model_validate({}), Overrides(supergraph, {})
    async with aiohttp.ClientSession() as session:
        decisions = PolicyDecisions(None, session, 1.0)

    async with open_single_flight(10, 10, 10) as preparing:
        preparation = Preparation(supergraph, limits, introspection=True)
        operations = OperationCache(preparation, overrides, metrics, preparing, size=10)
        pipeline = Pipeline(
            operations,
            Documents(),
            FaultyTransport(),
            {},
            None,
            decisions,
            metrics,
            OperationLog(metrics),
            SubscriptionLimits(1, 1),
        )

        async def websocket(socket: WebSocket) -> None:
            await WebSocketSession(socket, lambda: pipeline, Admission(), 10).serve()

        endpoint = HttpEndpoint(
            pipeline,
            EventStreams(1, 1, 1),
            Responses(load().connections),
            RequestBodies(limits),
            max_batch=1,
            explorer=False,
        )
        app = Application(load().connections, metrics, routes=[WebSocketRoute("/graphql", websocket)])
        app.service = Service(pipeline, endpoint, None, Forwarding(session, {}, 1.0))
        async with serve_app(app) as served:
            yield f"{served}/graphql"


def has_logged_error(caplog: pytest.LogCaptureFixture, cause: str) -> bool:
    return any(cause in str(record.exc_info) for record in caplog.records if record.levelno == logging.ERROR)


async def test_an_unexpected_error_is_masked_over_http(origin: str, caplog: pytest.LogCaptureFixture):
    body = {"query": "{ average }"}
    async with aiohttp.ClientSession() as client, client.post(origin, json=body, headers=HEADERS) as response:
        assert (response.status, await response.json()) == (500, {"errors": [MASKED]})
    assert has_logged_error(caplog, "the password is 1234")


@pytest.mark.parametrize(
    ("query", "error"),
    [("{ average }", "the password is 1234"), ("subscription { published { id } }", "KeyError('books')")],
)
async def test_an_unexpected_error_is_masked_over_an_event_stream(
    origin: str, query: str, error: str, caplog: pytest.LogCaptureFixture
):
    headers = {**HEADERS, "accept": "text/event-stream"}
    async with (
        aiohttp.ClientSession() as client,
        client.post(origin, json={"query": query}, headers=headers) as response,
    ):
        _, event = (await response.text()).split("event: next\ndata: ")
    assert json.loads(event.splitlines()[0]) == {"errors": [MASKED]}
    assert has_logged_error(caplog, error)


@pytest.mark.parametrize(
    ("query", "error"),
    [("{ average }", "the password is 1234"), ("subscription { published { id } }", "KeyError('books')")],
)
async def test_an_unexpected_error_is_masked_over_websocket(
    origin: str, query: str, error: str, caplog: pytest.LogCaptureFixture
):
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(origin, protocols=(SUBPROTOCOL,), headers=HEADERS) as socket,
    ):
        await socket.send_json({"type": "connection_init"})
        await socket.receive_json()
        await socket.send_json({"type": "subscribe", "id": "1", "payload": {"query": query}})
        assert await socket.receive_json() == {"id": "1", "type": "error", "payload": [MASKED]}
    assert has_logged_error(caplog, error)
