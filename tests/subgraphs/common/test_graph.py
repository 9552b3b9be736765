"""Queries to the graph, and the translation of its errors."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from subgraphs.common.errors import BadUserInput, DependencyFailed, DomainError, NotFound, Unauthenticated
from subgraphs.common.graph import GraphClient
from subgraphs.common.identity import Identity
from subgraphs.common.telemetry import start_trace
from tests.support.graph import GraphError, serve_graph

PARENT = Identity("usr_1", "ses_1", frozenset({"parent"}), "the-token")
BOOK = "query ($id: ID!) { book(id: $id) { id } }"


@pytest.fixture
async def nowhere() -> AsyncIterator[GraphClient]:
    client = GraphClient("http://127.0.0.1:9/graphql")
    yield client
    await client.close()


async def test_a_query_to_the_graph_carries_the_token_and_the_trace_of_the_caller() -> None:
    trace = start_trace(None)
    async with serve_graph({"book": lambda arguments: {"id": arguments["id"]}}) as graph:
        client = GraphClient(graph.url)
        assert await client.query(PARENT, BOOK, {"id": "book_1"}) == {"book": {"id": "book_1"}}
        await client.close()
    [request] = graph.requests
    assert request["headers"]["authorization"] == "Bearer the-token"
    assert trace in request["headers"]["traceparent"]


@pytest.mark.parametrize(
    ("error", "becomes", "message"),
    [
        (GraphError("NOT_FOUND", "Book 'book_1' was not found."), NotFound, "Book 'book_1' was not found."),
        (GraphError("UNAUTHENTICATED"), Unauthenticated, "Sign in to do this."),
        (GraphError("BAD_USER_INPUT", "Too many."), BadUserInput, "Too many."),
        (
            GraphError("INTERNAL_SERVER_ERROR", "secret detail"),
            DependencyFailed,
            "Another part of the platform could not answer; try again.",
        ),
    ],
)
async def test_an_error_of_the_graph_becomes_a_domain_error(
    error: GraphError, becomes: type[DomainError], message: str
) -> None:
    async with serve_graph({"book": error}) as graph:
        client = GraphClient(graph.url)
        with pytest.raises(becomes) as raised:
            await client.query(PARENT, BOOK, {"id": "book_1"})
        await client.close()
    assert str(raised.value) == message


async def test_an_unreachable_graph_is_a_failed_dependency(nowhere: GraphClient) -> None:
    with pytest.raises(DependencyFailed, match="does not answer"):
        await nowhere.query(PARENT, BOOK, {"id": "book_1"})
