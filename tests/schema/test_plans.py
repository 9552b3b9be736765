"""Plans on the platform's schema: `@provides` spares fetches from other subgraphs."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse

from infra.checkout import ROOT
from router.operation import build_operation
from router.planner import plan
from router.supergraph import Supergraph

PRODUCT = Supergraph.parse((ROOT / "schema" / "supergraph.graphql").read_text())


def render_plan(text: str) -> str:
    document = parse(text)
    [definition] = document.definitions
    assert isinstance(definition, OperationDefinitionNode)
    return str(plan(PRODUCT, build_operation(PRODUCT.public_schema, document, definition)))


@pytest.mark.parametrize(
    "event", ["TextDelta { text page", "PageWritten { page", "IllustrationReady { illustration { id } page"]
)
def test_the_number_of_a_page_is_fetched_with_its_event(event: str) -> None:
    plan_text = render_plan(f'subscription {{ generation(id: "g") {{ ... on {event} {{ id number }} }} }} }}')
    assert plan_text.count("Fetch(") == 1
    assert 'Fetch(service: "ai")' in plan_text


def test_the_number_of_a_page_is_fetched_with_its_step() -> None:
    plan_text = render_plan('{ generation(id: "g") { steps { page { number } } } }')
    assert plan_text.count("Fetch(") == 1


def test_the_text_of_a_page_is_fetched_from_its_book() -> None:
    plan_text = render_plan(
        'subscription { generation(id: "g") { ... on PageWritten { page { number text } } } }'
    )
    assert plan_text.count('Fetch(service: "books")') == 1
