"""The estimated cost of operations, at a running router."""

from typing import Any

from tests.router.running import opened


async def test_an_operation_that_may_cost_too_much_is_refused_before_anything_is_fetched():
    async with opened(limits={"max_cost": 20, "list_size": 4}) as library:
        assert "data" in await library.ask("{ books { id } more: books { id } }")
        library.shelf.requests.clear()
        headers = {"accept": "application/graphql-response+json"}
        query = "{ " + " ".join(f"b{number}: books {{ id }}" for number in range(6)) + " }"
        async with library.client.post(library.url, json={"query": query}, headers=headers) as response:
            answer: Any = await response.json(content_type=None)
        assert response.status == 400
        assert library.shelf.requests == []
    assert answer == {
        "errors": [
            {
                "message": "The operation may cost 24; at most 20 is allowed.",
                "extensions": {"code": "COST_ESTIMATED_TOO_EXPENSIVE", "limit": 20, "found": 24},
            }
        ]
    }


async def test_an_answer_tells_its_estimate_where_that_is_asked_for():
    async with opened(limits={"report_cost": True, "list_size": 4}) as library:
        answer = await library.ask("{ books { title } }")
    assert answer == {
        "data": {"books": [{"title": "Moon"}, {"title": "Sea"}]},
        "extensions": {"cost": {"estimated": 4}},
    }
