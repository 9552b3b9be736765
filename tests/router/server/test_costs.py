"""The estimated cost of operations, limited and reported by a running router."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from infra.demo import documents
from router.config.settings import Limits
from router.operation import build_operation
from router.policy.cost import CostRules, OperationCost
from router.supergraph import Supergraph
from tests.router.running_library import run_library
from tests.support.router_process import ROOT

PRODUCT = Supergraph.parse((ROOT / "schema" / "supergraph.graphql").read_text())
LIMITS = Limits.model_validate({})
EXAMPLES = sorted((ROOT / "schema" / "examples").glob("*.graphql"))
DEMO = [text for name, text in vars(documents).items() if name.isupper() and isinstance(text, str)]


def build_cost(text: str) -> OperationCost:
    document = parse(text)
    rules = CostRules(PRODUCT.document, LIMITS.list_size)
    [node] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return OperationCost(rules, build_operation(PRODUCT.public_schema, document, node))


@pytest.mark.parametrize("text", [*DEMO, *(each.read_text() for each in EXAMPLES)])
def test_operations_of_the_product_cost_far_less_than_the_limit(text: str):
    assert build_cost(text).estimate({}) < LIMITS.max_cost / 4


def test_deeply_nested_lists_cost_more_than_the_limit():
    levels = 5
    nested = "query ($id: ID!) { book(id: $id) {" + "pages { book {" * levels + "id" + "} }" * levels + "} }"
    assert build_cost(nested).estimate({"id": "book_1"}) > LIMITS.max_cost


async def test_an_operation_over_the_cost_limit_is_refused_before_any_fetch():
    async with run_library(limits={"max_cost": 20, "list_size": 4}) as library:
        assert "data" in await library.execute("{ books { id } more: books { id } }")
        library.books.requests.clear()
        headers = {"accept": "application/graphql-response+json"}
        query = "{ " + " ".join(f"b{number}: books {{ id }}" for number in range(6)) + " }"
        async with library.client.post(library.url, json={"query": query}, headers=headers) as response:
            answer: Any = await response.json(content_type=None)
        assert response.status == 400
        assert library.books.requests == []
    assert answer == {
        "errors": [
            {
                "message": "The estimated cost of the operation is 24; the maximum is 20.",
                "extensions": {
                    "code": "COST_ESTIMATED_TOO_EXPENSIVE",
                    "cost": {"estimated": 24, "limit": 20},
                },
            }
        ]
    }


async def test_the_estimated_cost_is_reported_when_enabled():
    async with run_library(limits={"report_cost": True, "list_size": 4}) as library:
        answer = await library.execute("{ books { title } }")
    assert answer == {
        "data": {"books": [{"title": "Moon"}, {"title": "Sea"}]},
        "extensions": {"cost": {"estimated": 4}},
    }
