"""The supergraph as the router reads it."""

from __future__ import annotations

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLUnionType,
    validate_schema,
)

from router.supergraph import InvalidSupergraphError, Key, Supergraph
from tests.support.planning import SUPERGRAPHS, supergraph

FEDERATION_1 = """
schema
  @core(feature: "https://specs.apollo.dev/core/v0.1")
  @core(feature: "https://specs.apollo.dev/join/v0.1")
{
  query: Query
}
directive @core(feature: String!) repeatable on SCHEMA
directive @join__field(graph: join__Graph, external: Boolean) on FIELD_DEFINITION
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean) repeatable on OBJECT
directive @join__owner(graph: join__Graph!) on OBJECT | INTERFACE
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
scalar join__FieldSet
enum join__Graph {
  PEOPLE @join__graph(name: "people", url: "http://people/graphql")
  POSTS @join__graph(name: "posts", url: "http://posts/graphql")
}
type Person
  @join__owner(graph: PEOPLE)
  @join__type(graph: PEOPLE, key: "id")
  @join__type(graph: POSTS, key: "id")
{
  id: ID! @join__field(graph: PEOPLE)
  posts: [String!]! @join__field(graph: POSTS)
}
type Tag
  @join__type(graph: PEOPLE, key: "id")
  @join__type(graph: POSTS, key: "id", extension: true)
{
  id: ID! @join__field(graph: PEOPLE) @join__field(graph: POSTS, external: true)
  name: String @join__field(graph: PEOPLE) @join__field(graph: POSTS, external: true)
}
type Query {
  person: Person @join__field(graph: PEOPLE)
}
"""


@pytest.mark.parametrize("name", sorted(path.stem for path in SUPERGRAPHS.glob("*.graphql")))
def test_the_public_schema_is_valid_and_has_nothing_of_federation_in_it(name: str):
    schema = supergraph(name).public_schema

    assert validate_schema(schema) == []
    assert [each for each in schema.type_map if "__" in each and not each.startswith("__")] == []
    assert {directive.name for directive in schema.directives} <= {
        "skip",
        "include",
        "deprecated",
        "specifiedBy",
        "oneOf",
        "defer",
        "stream",
    }


def test_subgraphs_are_known_by_name_with_their_address():
    found = supergraph("shop").subgraphs["stock"]

    assert (found.name, found.graph_id, found.url) == ("stock", "STOCK", "http://stock/graphql")


def test_keys_are_kept_by_subgraph():
    types = supergraph("shop").types

    assert types["Product"].joins["STOCK"].keys == (Key("id"), Key("sku"))
    assert types["Warehouse"].joins["STOCK"].keys == (Key("id", resolvable=False),)


def test_a_field_without_annotation_is_in_every_subgraph_of_its_type():
    assert supergraph("profiles").types["Query"].fields["both"].keys() == {"A", "B"}
    assert supergraph("profiles").types["Query"].fields["onlyA"].keys() == {"A"}


def test_inaccessible_elements_are_not_public():
    schema = supergraph("hidden").public_schema
    user, status = schema.type_map["User"], schema.type_map["Status"]
    pal, filter_ = schema.type_map["Pal"], schema.type_map["Filter"]

    assert isinstance(user, GraphQLObjectType)
    assert list(user.fields) == ["name", "status", "friend", "age"]
    assert isinstance(status, GraphQLEnumType)
    assert list(status.values) == ["ON", "OFF"]
    assert isinstance(pal, GraphQLUnionType)
    assert [each.name for each in pal.types] == ["User"]
    assert isinstance(filter_, GraphQLInputObjectType)
    assert list(filter_.fields) == ["name"]
    assert "Secret" not in schema.type_map


def test_a_progressive_override_names_its_label_on_both_sides():
    phone = supergraph("staffing").types["Person"].fields["phone"]

    assert (phone["NEW"].label_active, phone["NEW"].label_inactive) == ("percent(20)", None)
    assert (phone["OLD"].label_active, phone["OLD"].label_inactive) == (None, "percent(20)")


def test_a_federation_1_supergraph_is_understood():
    person = Supergraph.parse(FEDERATION_1).types["Person"]

    assert person.joins["POSTS"].keys == (Key("id"),)
    assert not person.fields["id"]["POSTS"].external
    assert person.fields["posts"].keys() == {"POSTS"}


def test_an_extension_knows_the_key_it_extends_by_and_no_other_external_field():
    tag = Supergraph.parse(FEDERATION_1).types["Tag"]

    assert not tag.fields["id"]["POSTS"].external
    assert tag.fields["name"]["POSTS"].external


@pytest.mark.parametrize("text", ["", "type Query { a: Int }", "type Query {", "query { a }"])
def test_what_is_not_a_supergraph_is_refused(text: str):
    with pytest.raises(InvalidSupergraphError):
        Supergraph.parse(text)
