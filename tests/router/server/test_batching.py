"""Several operations in one HTTP request, asked of a running router."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.router.running import Library, opened

AVERAGE = {"query": "{ average }"}


@pytest.fixture
async def batching() -> AsyncIterator[Library]:
    async with opened(limits={"max_batch": 3}) as running:
        yield running


async def post(library: Library, body: Any, **headers: str) -> tuple[int, Any]:
    async with library.client.post(library.url, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_a_batch_is_not_accepted_unless_it_is_allowed(library: Library):
    status, answer = await post(library, [AVERAGE])
    assert (status, answer["errors"][0]["message"]) == (
        400,
        "Batching is not enabled.",
    )


async def test_each_operation_of_a_batch_has_its_answer_in_its_place(batching: Library):
    title = {"query": "query ($id: ID!) { book(id: $id) { title } }", "variables": {"id": "2"}}
    assert await post(batching, [AVERAGE, title]) == (
        200,
        [{"data": {"average": 4.5}}, {"data": {"book": {"title": "Sea"}}}],
    )


async def test_an_operation_that_cannot_run_leaves_the_others_alone(batching: Library):
    subscription = {"query": "subscription { published { title } }"}
    status, answers = await post(batching, [{"query": "{ nothing }"}, AVERAGE, subscription])
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
async def test_a_batch_of_a_wrong_shape_is_refused_whole(batching: Library, body: Any, message: str):
    status, answer = await post(batching, body)
    assert (status, answer["errors"][0]["message"]) == (400, message)


async def test_a_batch_is_answered_as_plain_json_or_not_at_all(batching: Library):
    status, answer = await post(batching, [AVERAGE], accept="application/graphql-response+json")
    assert (status, answer["errors"][0]["extensions"]["code"]) == (406, "NOT_ACCEPTABLE")
