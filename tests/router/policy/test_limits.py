"""Limits on what one operation may ask."""

import pytest
from graphql import build_schema, parse, specified_rules, validate

from router.policy.limits import rules
from router.settings import Limits

SCHEMA = build_schema("type Query { a: Query, b(n: Int): Query, leaf: Int }")


def problems(query: str, *, introspection: bool = True, **limits: int) -> list[str]:
    chosen = rules(Limits.model_validate(limits), introspection=introspection)
    return [error.message for error in validate(SCHEMA, parse(query), [*specified_rules, *chosen])]


def test_an_operation_at_every_limit_is_accepted():
    query = "{ a { x: leaf @include(if: true) } leaf }"
    assert problems(query, max_depth=2, max_aliases=1, max_root_fields=2, max_directives=1) == []


def test_depth_counts_through_fragments():
    query = "{ a { ...F } } fragment F on Query { a { ... on Query { leaf } } }"
    assert problems(query, max_depth=2) == ["The operation has 3 levels of fields; at most 2 are allowed."]


def test_aliases_in_a_fragment_count_each_time_it_is_spread():
    query = "{ a { ...F } b { ...F } } fragment F on Query { x: leaf y: leaf }"
    assert problems(query, max_aliases=3) == ["The operation has 4 aliases; at most 3 are allowed."]


def test_root_fields_in_fragments_count():
    query = "{ ...F leaf } fragment F on Query { a { leaf } b { leaf } }"
    assert problems(query, max_root_fields=2) == ["The operation has 3 root fields; at most 2 are allowed."]


def test_directives_on_spreads_and_fields_count():
    query = "{ ... @include(if: true) { leaf @skip(if: false) } }"
    assert problems(query, max_directives=1) == ["The operation has 2 directives; at most 1 are allowed."]


def test_every_operation_of_a_document_is_measured():
    query = "query One { leaf } query Two { a { a { leaf } } }"
    assert problems(query, max_depth=2) == ["The operation has 3 levels of fields; at most 2 are allowed."]


def test_fragments_that_spread_each_other_many_times_are_measured_at_once():
    levels = 60
    fragments = " ".join(
        f"fragment F{n} on Query {{ a {{ ...F{n + 1} }} b {{ ...F{n + 1} }} }}" for n in range(levels)
    )
    document = parse(f"{{ ...F0 }} {fragments} fragment F{levels} on Query {{ x: leaf }}")
    chosen = rules(Limits.model_validate({}), introspection=True)
    [depth, aliases, fields] = [error.message for error in validate(SCHEMA, document, chosen)]
    assert depth == "The operation has 61 levels of fields; at most 20 are allowed."
    assert aliases == f"The operation has {2**levels} aliases; at most 100 are allowed."
    assert (
        fields == f"The operation has {2 ** (levels + 1) - 2 + 2**levels} fields; at most 2000 are allowed."
    )


def test_fields_count_each_time_their_fragment_is_spread():
    query = "{ a { ...F } b { ...F } } fragment F on Query { leaf }"
    assert problems(query, max_fields=3) == ["The operation has 4 fields; at most 3 are allowed."]


def test_a_fragment_that_spreads_itself_is_reported_as_a_cycle():
    query = "{ ...F } fragment F on Query { a { ...F } }"
    assert problems(query) == ["Cannot spread fragment 'F' within itself."]


def test_introspection_is_not_measured_as_depth():
    query = "{ __schema { types { fields { type { ofType { ofType { name } } } } } } }"
    assert problems(query, max_depth=1) == []


def test_introspection_can_be_switched_off():
    [problem] = problems("{ __schema { queryType { name } } leaf }", introspection=False)[:1]
    assert "introspection" in problem.lower()


@pytest.mark.parametrize("field", ["__typename", "leaf"])
def test_typename_is_no_introspection(field: str):
    assert problems(f"{{ {field} }}", introspection=False) == []
