"""The normal form of operations."""

from __future__ import annotations

from graphql import OperationDefinitionNode, parse

from router.operation import build_operation
from router.operation.normalize import normalize
from router.supergraph import Supergraph
from tests.support.planning import SUPERGRAPHS, dedent_plan, start_planning


def render(name: str, text: str) -> str:
    return str(start_planning(name, text).normalized)


def test_fragments_are_inlined_and_equal_fields_are_merged():
    text = """
      { products { ...A } products { maker { country { code } } } }
      fragment A on Product { id maker { id } }
    """

    assert render("shop", text) == dedent_plan("""
        query {
          products {
            id
            maker {
              id
              country {
                code
              }
            }
          }
        }
    """)


def test_fields_of_one_type_are_kept_apart_from_those_of_all_types():
    text = "{ media { id ... on Film { minutes } ... on Book { pages } } }"

    assert render("media", text) == dedent_plan("""
        query {
          media {
            id
            ... on Film {
              minutes
            }
            ... on Book {
              pages
            }
          }
        }
    """)


def test_a_scalar_selected_on_all_types_is_not_repeated_on_one():
    assert render("media", "{ media { id ... on Film { id } } }") == dedent_plan("""
        query {
          media {
            id
          }
        }
    """)


def test_a_fragment_on_an_interface_below_a_union_is_expanded_to_the_members():
    text = "{ item { ... on Book { author { email } } ... on Media { id } } }"

    assert render("media", text) == dedent_plan("""
        query {
          item {
            ... on Book {
              author {
                email
              }
              id
            }
            ... on Film {
              id
            }
          }
        }
    """)


def test_conditions_of_nested_fragments_combine_and_contradictions_are_dropped():
    text = """query($a: Boolean!, $b: Boolean!) {
      products @include(if: $a) { id ... @skip(if: $b) { name ... @include(if: $b) { inStock } } }
    }"""

    assert render("shop", text) == dedent_plan("""
        query {
          products @include(if: $a) {
            id
            name @skip(if: $b)
          }
        }
    """)


def test_selections_of_a_field_under_different_conditions_keep_their_conditions():
    text = "query($a: Boolean!) { products { maker { id } maker @include(if: $a) { country { code } } } }"

    assert render("shop", text) == dedent_plan("""
        query {
          products {
            maker {
              id
              country @include(if: $a) {
                code
              }
            }
          }
        }
    """)


def test_introspection_fields_are_left_to_the_router():
    text = '{ __schema { queryType { name } } __type(name: "Product") { name } products { id } }'

    assert render("shop", text) == dedent_plan("""
        query {
          products {
            id
          }
        }
    """)


def test_a_fragment_that_cannot_apply_is_dropped():
    text = "{ item { ... on Book { ... on Media { ... on Film { id } } } } }"

    assert render("media", text) == dedent_plan("""
        query {
          item {}
        }
    """)


def test_a_conditional_field_of_all_types_is_merged_with_that_of_one_type():
    text = "query($a: Boolean!) { media { title @include(if: $a) ... on Film { title minutes } } }"

    assert render("media", text) == dedent_plan("""
        query {
          media {
            ... on Film {
              title
              minutes
            }
            ... on Book {
              title @include(if: $a)
            }
          }
        }
    """)


def test_directives_that_subgraphs_define_stay_at_their_fields():
    sdl = (SUPERGRAPHS / "profiles.graphql").read_text() + "directive @cached(seconds: Int) on FIELD"
    schema = Supergraph.parse(sdl).public_schema
    document = parse("{ onlyA @cached(seconds: 5) }")
    [node] = document.definitions
    assert isinstance(node, OperationDefinitionNode)

    assert str(normalize(build_operation(schema, document, node), schema)) == dedent_plan("""
        query {
          onlyA @cached(seconds: 5)
        }
    """)


def test_all_selections_of_one_type_are_listed_together():
    selections = start_planning("media", "{ media { id ... on Film { minutes } } }").normalized.selections
    media = selections.fields[0].selections

    assert media
    assert [field.name for field in media.select_for_type("Film")] == ["id", "minutes"]
    assert [field.name for field in media.select_for_type("Book")] == ["id"]


def test_a_root_field_of_a_mutation_keeps_its_first_position():
    text = """mutation($a: Boolean!, $b: Boolean!) {
      addA @include(if: $a) @skip(if: $b)
      addB
      addA @include(if: $b)
      again: addB @include(if: $a)
      addA @skip(if: $a)
      again: addB @include(if: $a)
    }"""

    assert render("profiles", text) == dedent_plan("""
        mutation {
          addA @include(if: $a) @skip(if: $b)
          addB
          addA @include(if: $b)
          again: addB @include(if: $a)
          addA @skip(if: $a) @skip(if: $b)
        }
    """)
