"""Fixtures of the books domain: its subgraph, and a fake graph with the parents' consents."""

from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.common.runtime import Runtime
from tests.subgraphs.books.library import Parent
from tests.support.graph import FakeGraph, serve_graph
from tests.support.subgraph import SubgraphClient, run_subgraph

CONSENTED = {"consents": [{"purpose": "CHILD_PROFILE", "revokedAt": None}]}


@pytest.fixture
async def graph() -> AsyncIterator[FakeGraph]:
    async with serve_graph({"me": CONSENTED}) as answering:
        yield answering


@pytest.fixture
async def books(servers: Mapping[str, str], graph: FakeGraph) -> AsyncIterator[SubgraphClient]:
    async with run_subgraph("books", {**servers, "GRAPH_URL": graph.url}) as client:
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
