"""Limits on the size of one operation."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import build_schema, get_introspection_query, parse, specified_rules, validate
from hypothesis import given
from hypothesis import strategies as st

from router.config.settings import Limits
from router.policy import limits as policy

SCHEMA = build_schema("type Query { a: Query, b(n: Int): Query, leaf: Int }")


def find_limit_errors(query: str, **limits: int) -> list[str]:
    return [error.message for error in policy.find_limit_errors(parse(query), Limits.model_validate(limits))]


def list_validation_errors(query: str, *, introspection: bool = True) -> list[str]:
    chosen = [*specified_rules, *policy.select_validation_rules(introspection=introspection)]
    return [error.message for error in validate(SCHEMA, parse(query), chosen)]


def test_an_operation_at_every_limit_is_accepted():
    query = "{ a { x: leaf @include(if: true) } leaf }"
    assert find_limit_errors(query, max_depth=2, max_aliases=1, max_root_fields=2, max_directives=1) == []


def test_depth_counts_through_fragments():
    query = "{ a { ...F } } fragment F on Query { a { ... on Query { leaf } } }"
    assert find_limit_errors(query, max_depth=2) == [
        "The operation has 3 levels of fields; the maximum is 2."
    ]


def test_aliases_in_a_fragment_count_each_time_it_is_spread():
    query = "{ a { ...F } b { ...F } } fragment F on Query { x: leaf y: leaf }"
    assert find_limit_errors(query, max_aliases=3) == ["The operation has 4 aliases; the maximum is 3."]


def test_root_fields_in_fragments_count():
    query = "{ ...F leaf } fragment F on Query { a { leaf } b { leaf } }"
    assert find_limit_errors(query, max_root_fields=2) == [
        "The operation has 3 root fields; the maximum is 2."
    ]


def test_a_count_beyond_the_maximum_is_reported_without_its_digits():
    fragments = [f"fragment F{n} on Node {{ ...F{n + 1} ...F{n + 1} }}" for n in range(80)]
    query = " ".join(["{ ...F0 }", *fragments, "fragment F80 on Node { a: leaf }"])
    assert find_limit_errors(query) == [
        "The operation has more than 2147483647 aliases; the maximum is 100.",
        "The operation has more than 2147483647 fields; the maximum is 2000.",
        "The operation has more than 2147483647 root fields; the maximum is 30.",
    ]


def test_directives_on_spreads_and_fields_count():
    query = "{ ... @include(if: true) { leaf @skip(if: false) } }"
    assert find_limit_errors(query, max_directives=1) == ["The operation has 2 directives; the maximum is 1."]


def test_every_operation_of_a_document_is_measured():
    query = "query One { leaf } query Two { a { a { leaf } } }"
    assert find_limit_errors(query, max_depth=2) == [
        "The operation has 3 levels of fields; the maximum is 2."
    ]


def test_fragments_that_spread_each_other_many_times_are_measured_quickly():
    levels = 60
    fragments = " ".join(
        f"fragment F{n} on Query {{ a {{ ...F{n + 1} }} b {{ ...F{n + 1} }} }}" for n in range(levels)
    )
    query = f"{{ ...F0 }} {fragments} fragment F{levels} on Query {{ x: leaf }}"
    [depth, aliases, fields] = find_limit_errors(query)
    assert depth == "The operation has 61 levels of fields; the maximum is 20."
    assert aliases == f"The operation has more than {2**31 - 1} aliases; the maximum is 100."
    assert fields == f"The operation has more than {2**31 - 1} fields; the maximum is 2000."


def test_fields_count_each_time_their_fragment_is_spread():
    query = "{ a { ...F } b { ...F } } fragment F on Query { leaf }"
    assert find_limit_errors(query, max_fields=3) == ["The operation has 4 fields; the maximum is 3."]


def test_introspection_fields_count_each_time_their_fragment_is_spread():
    fragments = " ".join(f"fragment F{n} on __Schema {{ ...F{n + 1} ...F{n + 1} }}" for n in range(20))
    query = f"{{ __schema {{ ...F0 }} }} {fragments} fragment F20 on __Schema {{ description }}"
    assert find_limit_errors(query) == [f"The operation has {2**20 + 1} fields; the maximum is 2000."]


def test_a_fragment_that_spreads_itself_is_reported_as_a_cycle():
    query = "{ ...F } fragment F on Query { a { ...F } }"
    assert (find_limit_errors(query), list_validation_errors(query)) == (
        [],
        ["Cannot spread fragment 'F' within itself."],
    )


def test_introspection_is_not_measured_as_depth():
    query = "{ __schema { types { fields { type { ofType { ofType { name } } } } } } }"
    assert find_limit_errors(query, max_depth=1) == []


def test_the_introspection_query_of_tools_is_within_the_limits():
    assert find_limit_errors(get_introspection_query(input_value_deprecation=True)) == []


def test_definitions_are_counted():
    query = "{ ...F } fragment F on Query { leaf } fragment G on Query { leaf }"
    assert find_limit_errors(query, max_definitions=3) == []
    assert find_limit_errors(query, max_definitions=2) == [
        "The document has 3 definitions; the maximum is 2."
    ]


TOO_REPETITIVE = "The document repeats fields too often: validating it takes more than 10 comparisons."


@pytest.mark.parametrize(
    ("query", "comparisons"),
    [
        ("{ leaf a { leaf } b { leaf } x: leaf }", 6),
        ("{ leaf leaf leaf leaf }", 1 + 2 + 3 + 4),
        ("{ leaf leaf leaf ... { leaf } }", 1 + 2 + 3 + 4 + 1),
        ("{ a { leaf } a { leaf } a { leaf } }", 2 * (1 + 2 + 3)),
        ("{ ...F } fragment F on Query { leaf leaf leaf }", 1 + 2 * 6),
        ("{ leaf } fragment F on Query { leaf leaf leaf leaf }", 1 + 10),
        ("query A { ...F leaf } query B { ...F leaf } fragment F on Query { leaf }", 2 * 4 + 1),
    ],
)
def test_fields_at_one_place_of_the_response_are_counted_in_pairs(query: str, comparisons: int):
    assert find_limit_errors(query, max_comparisons=comparisons) == []
    assert find_limit_errors(query, max_comparisons=10) == ([TOO_REPETITIVE] if comparisons > 10 else [])


def test_cyclic_fragments_do_not_hang_the_count():
    assert (
        find_limit_errors("{ ...F } fragment F on Query { ...G leaf } fragment G on Query { ...F ...G }")
        == []
    )


@given(st.recursive(st.just("leaf"), lambda inner: st.lists(inner, min_size=1, max_size=6)))
def test_the_comparisons_are_those_of_all_pairs(tree: Any):
    def iterate_places(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for each in tree if isinstance(tree, list) else [tree]:
            here = (*path, "a" if isinstance(each, list) else "leaf")
            yield here
            if isinstance(each, list):
                yield from iterate_places(each, here)

    def write_text(tree: Any) -> str:
        items = tree if isinstance(tree, list) else [tree]
        fields = (f"a {write_text(each)}" if isinstance(each, list) else "leaf" for each in items)
        return f"{{ {' '.join(fields)} }}"

    pairs = sum(count * (count + 1) // 2 for count in Counter(iterate_places(tree, ())).values())
    enough = {"max_depth": 100, "max_root_fields": 1000, "max_comparisons": pairs}
    assert find_limit_errors(write_text(tree), **enough) == []
    assert (
        pairs == 1 or len(find_limit_errors(write_text(tree), **enough | {"max_comparisons": pairs - 1})) == 1
    )


def test_introspection_can_be_switched_off():
    [problem] = list_validation_errors("{ __schema { queryType { name } } leaf }", introspection=False)[:1]
    assert "introspection" in problem.lower()


@pytest.mark.parametrize("field", ["__typename", "leaf"])
def test_typename_does_not_count_as_introspection(field: str):
    assert list_validation_errors(f"{{ {field} }}", introspection=False) == []
