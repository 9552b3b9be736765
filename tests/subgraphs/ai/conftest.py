"""Fixtures of the ai domain: its subgraph, and a fake graph with a book and the parent's consents."""

from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.common.runtime import Runtime
from tests.subgraphs.ai.library import Parent, build_book_answers
from tests.support.graph import FakeGraph, serve_graph
from tests.support.subgraph import SubgraphClient, run_subgraph


@pytest.fixture
async def graph() -> AsyncIterator[FakeGraph]:
    async with serve_graph(build_book_answers()) as answering:
        yield answering


@pytest.fixture
async def ai(servers: Mapping[str, str], graph: FakeGraph) -> AsyncIterator[SubgraphClient]:
    environ = {**servers, "GRAPH_URL": graph.url, "OFFLINE_WORDS_PER_SECOND": "2000"}
    async with run_subgraph("ai", environ) as client:
        yield client


@pytest.fixture
def runtime(ai: SubgraphClient) -> Runtime:
    return ai.runtime


@pytest.fixture
def parent(ai: SubgraphClient) -> Parent:
    return Parent(ai)


@pytest.fixture
def stranger(ai: SubgraphClient) -> Parent:
    return Parent(ai)
