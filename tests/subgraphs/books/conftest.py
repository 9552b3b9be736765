"""Fixtures of the books domain: its subgraph, beside a graph that knows the parents' consents."""

from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.common.runtime import Runtime
from tests.subgraphs.books.library import Parent
from tests.support.graph import AnsweringGraph, graph_answering
from tests.support.subgraph import SubgraphClient, subgraph_client

CONSENTED = {"consents": [{"purpose": "CHILD_PROFILE", "revokedAt": None}]}


@pytest.fixture
async def graph() -> AsyncIterator[AnsweringGraph]:
    async with graph_answering({"me": CONSENTED}) as answering:
        yield answering


@pytest.fixture
async def books(servers: Mapping[str, str], graph: AnsweringGraph) -> AsyncIterator[SubgraphClient]:
    async with subgraph_client("books", {**servers, "GRAPH_URL": graph.url}) as client:
        yield client


@pytest.fixture
def runtime(books: SubgraphClient) -> Runtime:
    return books.runtime


@pytest.fixture
def parent(books: SubgraphClient) -> Parent:
    return Parent(books)


@pytest.fixture
def stranger(books: SubgraphClient) -> Parent:
    return Parent(books)
