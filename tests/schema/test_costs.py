"""The cost directives of the platform's schema: sizes of lists and weights of expensive fields."""

from __future__ import annotations

import pytest
from graphql import (
    GraphQLObjectType,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
)

from infra.checkout import ROOT
from router.operation import build_operation
from router.policy.cost import CostRules, OperationCost

SUPERGRAPH = (ROOT / "schema" / "supergraph.graphql").read_text()
RULES = CostRules(parse(SUPERGRAPH), list_size=10)
SCHEMA = build_schema(SUPERGRAPH, assume_valid=True)
OBJECTS = [
    type_
    for type_ in SCHEMA.type_map.values()
    if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
]


def test_every_list_has_a_size() -> None:
    sized = {
        (get_named_type(type_.fields[name].type).name, inner)
        for type_ in OBJECTS
        for name in type_.fields
        if (size := RULES.sizes.get((type_.name, name)))
        for inner in size.sized
    }
    unsized = [
        (type_.name, name)
        for type_ in OBJECTS
        for name, field in type_.fields.items()
        if is_list_type(get_nullable_type(field.type))
        and (type_.name, name) not in RULES.sizes
        and (type_.name, name) not in sized
    ]
    assert unsized == []


def test_the_size_of_every_connection_is_its_first_argument() -> None:
    connections = [
        (type_.name, name)
        for type_ in OBJECTS
        for name, field in type_.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    ]
    assert len(connections) == 5
    assert {RULES.sizes[place].slicing for place in connections} == {(("first",),)}
    assert {RULES.sizes[place].sized for place in connections} == {frozenset({"edges", "nodes"})}


@pytest.mark.parametrize("field", ["signUp", "signIn", "generateBook", "regeneratePage"])
def test_mutations_that_take_cpu_or_cost_money_have_a_high_weight(field: str) -> None:
    assert RULES.weights["Mutation", field] >= 500


def test_costs_of_nested_lists_multiply() -> None:
    levels = [
        f'{{ book(id: "b") {"{ pages { book " * depth}{{ id }}{" } }" * depth} }}' for depth in (1, 2, 3)
    ]
    once, twice, thrice = map(estimate, levels)
    assert once > 32
    assert twice > 32 * 32
    assert thrice > 32 * 32 * 32


def estimate(text: str) -> int:
    document = parse(text)
    [node] = document.definitions
    assert isinstance(node, OperationDefinitionNode)
    return OperationCost(RULES, build_operation(SCHEMA, document, node)).estimate({})
