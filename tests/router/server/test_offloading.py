"""Work that takes long runs in the preparing thread, off the event loop."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from router.executor.introspection import introspect
from router.operation import coerce_variables
from tests.router.running_library import Library


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that coerced variables or answered introspection, in order."""
    names: list[str] = []

    def record_thread(function: Callable[..., Any]) -> Callable[..., Any]:
        def recorder(*arguments: Any) -> Any:
            names.append(threading.current_thread().name)
            return function(*arguments)

        return recorder

    monkeypatch.setattr("router.pipeline.coerce_variables", record_thread(coerce_variables))
    monkeypatch.setattr("router.executor.introspect", record_thread(introspect))
    return names


async def execute(library: Library, query: str, **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    async with library.client.post(library.url, json=body) as response:
        return await response.json()


async def test_many_values_are_coerced_off_the_event_loop(library: Library, threads: list[str]):
    query = "query ($id: ID!) { book(id: $id) { title } }"
    few = await execute(library, query, id="1", unused=[0] * 400)
    many = await execute(library, query, id="1", unused=[0] * 600)
    assert few == many == {"data": {"book": {"title": "Moon"}}}
    assert threads == [threading.current_thread().name, "prepare"]


async def test_introspection_runs_off_the_event_loop(library: Library, threads: list[str]):
    answer = await execute(library, '{ __type(name: "Book") { name } average }')
    assert answer == {"data": {"__type": {"name": "Book"}, "average": 4.5}}
    assert threads == [threading.current_thread().name, "prepare"]


async def test_invalid_values_are_reported_when_there_are_many(library: Library):
    answer = await execute(library, "query ($id: ID!) { book(id: $id) { title } }", unused=[0] * 600)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
