"""Object completion: the generated functions complete objects as the loop over their fields does."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import pytest
from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLSchema, build_schema, get_named_type
from hypothesis import given
from hypothesis import strategies as st

from router.executor.object_completion import (
    MAX_FIELDS,
    MAX_VARIANTS,
    CompiledField,
    compile_fields,
    generate_completion,
    interpret_fields,
)
from router.executor.response_builder import ResponseBuilder, TooManyFieldsError
from router.executor.value_completion import UNREAD, compile_leaf, compile_non_null, write_check
from router.operation.conditions import ALWAYS, Conditions

SCHEMA: GraphQLSchema = build_schema("""
    type Query {
      id: ID! int: Int! float: Float! string: String! flag: Boolean! size: Size! at: Date!
      anId: ID anInt: Int aFloat: Float aString: String aFlag: Boolean aSize: Size aDate: Date
    }
    enum Size { SMALL LARGE }
    scalar Date
""")
ROOT = SCHEMA.query_type
assert isinstance(ROOT, GraphQLObjectType)

USUAL: Mapping[str, list[Any]] = {
    "ID": ["a", "1"],
    "Int": [0, 2**31 - 1, -(2**31)],
    "Float": [1.5, 2, 2**40],
    "String": ["", "a"],
    "Boolean": [True, False],
    "Size": ["SMALL"],
    "Date": ["2026-11-28", {"year": 2026}],
}
UNUSUAL: list[Any] = [None, 1, 7, 1.0, 1.5, "x", "HUGE", True, [], {}, 2**31, -(2**31) - 1, 10**20]


def compile_field(name: str, response_name: str | None = None) -> CompiledField:
    assert isinstance(ROOT, GraphQLObjectType)
    output = ROOT.fields[name].type
    complete = compile_leaf(get_named_type(output), f"Query.{name}", SCHEMA)
    if isinstance(output, GraphQLNonNull):
        complete = compile_non_null(complete, f"Query.{name}")
    return CompiledField(response_name or name, name, complete, write_check(output))


@st.composite
def build_objects(draw: st.DrawFn) -> Any:
    """Objects that are as they should be, but for up to two keys."""
    assert isinstance(ROOT, GraphQLObjectType)
    value = {
        name: draw(st.sampled_from(USUAL[get_named_type(field.type).name]))
        for name, field in ROOT.fields.items()
    }
    value |= draw(st.dictionaries(st.sampled_from(sorted(value)), st.sampled_from(UNUSUAL), max_size=2))
    for name in draw(st.sets(st.sampled_from(sorted(value)), max_size=1)):
        del value[name]
    return value


FIELDS = st.lists(st.sampled_from(sorted(ROOT.fields)), min_size=1, max_size=8, unique=True)


def check_completions_agree(fields: list[CompiledField], value: Any, unselected: Container[str] = ()) -> None:
    interpret = interpret_fields("Query", fields, unselected)
    by_loop, generated = ResponseBuilder({}), ResponseBuilder({})
    expected = interpret(value, None, by_loop)
    projected = generate_completion(fields, interpret)(value, None, generated)
    assert repr(projected) == repr(expected)
    assert generated.errors == by_loop.errors


@pytest.mark.parametrize("name", sorted(ROOT.fields))
def test_generated_functions_complete_any_value_as_the_loop_does(name: str):
    for values in (*USUAL.values(), UNUSUAL):
        for value in values:
            check_completions_agree([compile_field(name)], {name: value})
    check_completions_agree([compile_field(name)], {})


@given(FIELDS, build_objects() | st.sampled_from(UNUSUAL), st.sets(st.sampled_from(sorted(ROOT.fields))))
def test_generated_functions_complete_any_object_as_the_loop_does(
    names: list[str], value: Any, unselected: set[str]
):
    typename = CompiledField("kind", "__typename", lambda *_: "Query", UNREAD)
    fields = [typename, *(compile_field(name, name.upper()) for name in names)]
    check_completions_agree(fields, value, unselected)


def test_an_object_that_is_as_it_should_be_needs_no_loop():
    def interpret(*_: Any) -> Any:
        raise AssertionError("the loop ran")

    fields = [compile_field(name) for name in ("id", "int", "float", "string", "flag", "aString", "anInt")]
    value = {"id": "7", "int": 1, "float": 2, "string": "", "flag": False, "aString": None, "anInt": 2}
    assert generate_completion(fields, interpret)(value, None, ResponseBuilder({})) == value


def test_objects_with_very_many_fields_are_completed_by_the_loop():
    fields = [compile_field("id", f"id{number}") for number in range(MAX_FIELDS + 1)]
    interpret = interpret_fields("Query", fields, ())
    assert generate_completion(fields, interpret) is interpret
    assert generate_completion(fields[1:], interpret) is not interpret


def build_conditional(*names: str) -> list[tuple[Conditions, CompiledField]]:
    fields: list[tuple[Conditions, CompiledField]] = [(ALWAYS, compile_field("id"))]
    return fields + [(frozenset({(name, True)}), compile_field("string", name)) for name in names]


@pytest.mark.parametrize("with_string", [True, False])
def test_fields_depend_on_the_variables_of_each_response(with_string: bool):
    complete = compile_fields("Query", build_conditional("a", "b"), ())
    value = {"id": "7", "string": "x"}
    for variables in ({"a": with_string, "b": True}, {"a": not with_string, "b": False}):
        expected = {"id": "7"} | {name: "x" for name, is_met in variables.items() if is_met}
        assert complete(value, None, ResponseBuilder(variables)) == expected


def test_of_fields_with_one_response_name_the_last_that_is_selected_counts():
    fields = [*build_conditional("a"), (ALWAYS, compile_field("aString", "a"))]
    complete = compile_fields("Query", fields, ())
    value = {"id": "7", "string": "x", "aString": "y"}
    assert complete(value, None, ResponseBuilder({"a": True})) == {"id": "7", "a": "y"}


def test_more_variants_than_are_kept_are_completed_alike():
    names = "abcd"
    complete = compile_fields("Query", build_conditional(*names), ())
    for number in [*range(2 ** len(names))] * 2:
        variables = {name: bool(number >> index & 1) for index, name in enumerate(names)}
        projected = complete({"id": "7", "string": "x"}, None, ResponseBuilder(variables))
        assert [*projected] == ["id", *(name for name in names if variables[name])]
    assert 2 ** len(names) > MAX_VARIANTS


def test_compiling_a_variant_counts_as_work_of_the_response():
    complete = compile_fields("Query", build_conditional(*"abcdefgh"), ())
    value = {"id": "7", "string": "x"}
    with pytest.raises(TooManyFieldsError):
        complete(value, None, ResponseBuilder({"a": True}, fields_left=100))
    assert complete(value, None, ResponseBuilder({"a": True})) == {"id": "7", "a": "x"}
    assert complete(value, None, ResponseBuilder({"a": True}, fields_left=100)) == {"id": "7", "a": "x"}
