"""Batches: several operations in one HTTP request to a running router."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from router.pipeline.request import GraphQLRequest
from router.server.batching import execute_batch
from tests.router.running_library import Library, run_library

AVERAGE = {"query": "{ average }"}


@pytest.fixture
async def batching_library() -> AsyncIterator[Library]:
    async with run_library(limits={"max_batch": 3}) as running:
        yield running


async def post(library: Library, body: Any, **headers: str) -> tuple[int, Any]:
    async with library.client.post(library.url, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_batches_are_refused_by_default(library: Library):
    status, answer = await post(library, [AVERAGE])
    assert (status, answer["errors"][0]["message"]) == (
        400,
        "Batching is not enabled.",
    )


async def test_the_answers_of_a_batch_are_in_the_order_of_its_operations(batching_library: Library):
    title = {"query": "query ($id: ID!) { book(id: $id) { title } }", "variables": {"id": "2"}}
    assert await post(batching_library, [AVERAGE, title]) == (
        200,
        [{"data": {"average": 4.5}}, {"data": {"book": {"title": "Sea"}}}],
    )


async def test_an_invalid_operation_does_not_affect_the_rest_of_the_batch(batching_library: Library):
    subscription = {"query": "subscription { published { title } }"}
    status, answers = await post(batching_library, [{"query": "{ nothing }"}, AVERAGE, subscription])
    assert status == 200
    assert answers[1] == {"data": {"average": 4.5}}
    assert answers[0]["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert answers[2]["errors"][0]["message"] == "A subscription cannot be part of a batch."


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "A batch must have 1 to 3 operations; this one has 0."),
        ([AVERAGE] * 4, "A batch must have 1 to 3 operations; this one has 4."),
        ([AVERAGE, None], "A GraphQL request must be a JSON object."),
        ([AVERAGE, [AVERAGE]], "A GraphQL request must be a JSON object."),
    ],
)
async def test_a_malformed_batch_is_refused_as_a_whole(batching_library: Library, body: Any, message: str):
    status, answer = await post(batching_library, body)
    assert (status, answer["errors"][0]["message"]) == (400, message)


async def test_a_batch_is_answered_only_as_application_json(batching_library: Library):
    status, answer = await post(batching_library, [AVERAGE], accept="application/graphql-response+json")
    assert (status, answer["errors"][0]["extensions"]["code"]) == (406, "NOT_ACCEPTABLE")


async def test_the_operations_of_a_batch_run_three_at_a_time():
    running = most = 0

    async def execute(request: GraphQLRequest) -> dict[str, Any]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return {"data": request.query}

    batch = [GraphQLRequest(f"{{ field_{number} }}", None, {}) for number in range(10)]
    assert await execute_batch(batch, execute) == [{"data": request.query} for request in batch]
    assert most == 3
