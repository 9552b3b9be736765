"""What takes long is done apart from the event loop."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from router.executor.introspection import introspect
from router.operation import coerce_variables
from tests.router.running import Library


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads in which variables are coerced and introspection is answered, in their order."""
    found: list[str] = []

    def noted(function: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*arguments: Any) -> Any:
            found.append(threading.current_thread().name)
            return function(*arguments)

        return noting

    monkeypatch.setattr("router.pipeline.coerce_variables", noted(coerce_variables))
    monkeypatch.setattr("router.executor.introspect", noted(introspect))
    return found


async def ask(library: Library, query: str, **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    async with library.client.post(library.url, json=body) as response:
        return await response.json()


async def test_many_values_are_coerced_apart_from_the_event_loop(library: Library, threads: list[str]):
    query = "query ($id: ID!) { book(id: $id) { title } }"
    few = await ask(library, query, id="1", unused=[0] * 400)
    many = await ask(library, query, id="1", unused=[0] * 600)
    assert few == many == {"data": {"book": {"title": "Moon"}}}
    assert threads == [threading.current_thread().name, "prepare"]


async def test_the_schema_is_told_apart_from_the_event_loop(library: Library, threads: list[str]):
    answer = await ask(library, '{ __type(name: "Book") { name } average }')
    assert answer == {"data": {"__type": {"name": "Book"}, "average": 4.5}}
    assert threads == [threading.current_thread().name, "prepare"]


async def test_values_that_do_not_fit_are_told_all_the_same(library: Library):
    answer = await ask(library, "query ($id: ID!) { book(id: $id) { title } }", unused=[0] * 600)
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
