"""What the graph tells of its costs: the length of every list, and what is dear."""

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


def test_every_list_tells_how_long_it_is() -> None:
    sized = {
        (get_named_type(type_.fields[name].type).name, inner)
        for type_ in OBJECTS
        for name in type_.fields
        if (size := RULES.sizes.get((type_.name, name)))
        for inner in size.sized
    }
    untold = [
        (type_.name, name)
        for type_ in OBJECTS
        for name, field in type_.fields.items()
        if is_list_type(get_nullable_type(field.type))
        and (type_.name, name) not in RULES.sizes
        and (type_.name, name) not in sized
    ]
    assert untold == []


def test_every_connection_is_as_long_as_it_is_asked_to_be() -> None:
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
def test_what_takes_a_core_or_costs_money_is_dear(field: str) -> None:
    assert RULES.weights["Mutation", field] >= 500


def test_lists_within_lists_multiply() -> None:
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
