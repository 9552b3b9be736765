"""Parsing a supergraph."""

from __future__ import annotations

import re

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLUnionType,
    validate_schema,
)

from router.supergraph import InvalidSupergraphError, Supergraph
from router.supergraph.join_spec import EntityKey
from tests.support.planning import SUPERGRAPHS, load_supergraph

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
def test_the_public_schema_is_valid_and_free_of_federation(name: str):
    schema = load_supergraph(name).public_schema

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
    found = load_supergraph("shop").subgraphs["stock"]

    assert (found.name, found.graph_id, found.url) == ("stock", "STOCK", "http://stock/graphql")


def test_keys_are_kept_by_subgraph():
    types = load_supergraph("shop").types

    assert types["Product"].joins["STOCK"].keys == (EntityKey("id"), EntityKey("sku"))
    assert types["Warehouse"].joins["STOCK"].keys == (EntityKey("id", is_resolvable=False),)


def test_a_field_without_annotation_is_in_every_subgraph_of_its_type():
    assert load_supergraph("profiles").types["Query"].fields["both"].keys() == {"A", "B"}
    assert load_supergraph("profiles").types["Query"].fields["onlyA"].keys() == {"A"}


def test_inaccessible_elements_are_not_public():
    schema = load_supergraph("hidden").public_schema
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
    phone = load_supergraph("staffing").types["Person"].fields["phone"]

    assert (phone["NEW"].label_active, phone["NEW"].label_inactive) == ("percent(20)", None)
    assert (phone["OLD"].label_active, phone["OLD"].label_inactive) == (None, "percent(20)")


def test_a_federation_1_supergraph_is_understood():
    person = Supergraph.parse(FEDERATION_1).types["Person"]

    assert person.joins["POSTS"].keys == (EntityKey("id"),)
    assert not person.fields["id"]["POSTS"].is_external
    assert person.fields["posts"].keys() == {"POSTS"}


def test_an_extension_resolves_its_key_and_no_other_external_field():
    tag = Supergraph.parse(FEDERATION_1).types["Tag"]

    assert not tag.fields["id"]["POSTS"].is_external
    assert tag.fields["name"]["POSTS"].is_external


@pytest.mark.parametrize("text", ["", "type Query { a: Int }", "type Query {", "query { a }"])
def test_an_invalid_supergraph_is_refused(text: str):
    with pytest.raises(InvalidSupergraphError):
        Supergraph.parse(text)


def build_supergraph_text(
    schema: str, definitions: str = "type Query @join__type(graph: A) { a: Int }"
) -> str:
    return f"""
schema @link(url: "https://specs.apollo.dev/link/v1.0") {schema} {{ query: Query }}
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!) repeatable on OBJECT | INTERFACE | ENUM | SCALAR
enum join__Graph {{ A @join__graph(name: "a", url: "http://a/graphql") }}
{definitions}
"""


JOIN = '@link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)'


def test_a_type_may_have_two_underscores_inside_its_name():
    text = """
        type Query @join__type(graph: A) { a: Order__Item }
        type Order__Item @join__type(graph: A) { b: Int }
    """
    found = Supergraph.parse(build_supergraph_text(JOIN, text))

    assert isinstance(found.public_schema.type_map["Order__Item"], GraphQLObjectType)
    assert "Order__Item" in found.types
    assert "join__Graph" not in found.public_schema.type_map


def test_definitions_under_a_renamed_prefix_of_a_specification_are_not_public():
    links = f'{JOIN} @link(url: "https://specs.apollo.dev/cost/v0.1", as: "price")'
    text = """
        type Query @join__type(graph: A) { a: Int }
        scalar price__Weight
        enum cost__Unit @join__type(graph: A) { X }
    """
    names = Supergraph.parse(build_supergraph_text(links, text)).public_schema.type_map

    assert "price__Weight" not in names
    assert "cost__Unit" in names


def test_a_deprecation_without_a_reason_has_the_default_reason():
    text = """
        type Query @join__type(graph: A) {
          a(b: Int @deprecated(reason: null)): Int @deprecated(reason: null)
        }
    """
    query = Supergraph.parse(build_supergraph_text(JOIN, text)).public_schema.type_map["Query"]

    assert isinstance(query, GraphQLObjectType)
    assert query.fields["a"].deprecation_reason == "No longer supported"
    assert query.fields["a"].args["b"].deprecation_reason == "No longer supported"


@pytest.mark.parametrize(
    "address",
    [
        "https://secure.example/vault/v1.0",
        "https://specs.apollo.dev/connect/v0.2",
        "https://specs.apollo.dev/join/v2.0",
        "https://specs.apollo.dev/policy/v2.0",
        "https://specs.apollo.dev/join",
        "vault",
    ],
)
@pytest.mark.parametrize("purpose", ["SECURITY", "EXECUTION"])
def test_an_unknown_required_link_is_refused_by_its_url(address: str, purpose: str):
    with pytest.raises(InvalidSupergraphError, match=f"does not support: {re.escape(address)}"):
        Supergraph.parse(build_supergraph_text(f'{JOIN} @link(url: "{address}", for: {purpose})'))


def test_all_unknown_required_links_are_named_at_once():
    addresses = ["https://a.example/x/v1.0", "https://a.example/y/v1.0"]
    links = " ".join(f'@link(url: "{each}", for: SECURITY)' for each in addresses)
    with pytest.raises(InvalidSupergraphError, match=re.escape(f"does not support: {', '.join(addresses)}.")):
        Supergraph.parse(build_supergraph_text(links))


@pytest.mark.parametrize("version", ["policy/v2.0", "join/v0.9", "inaccessible/v1.0"])
def test_an_unsupported_version_of_a_known_link_is_refused_whatever_its_purpose(version: str):
    with pytest.raises(InvalidSupergraphError, match=re.escape(version)):
        Supergraph.parse(build_supergraph_text(f'@link(url: "https://specs.apollo.dev/{version}")'))


def test_an_unknown_link_without_a_purpose_is_accepted():
    links = f'{JOIN} @link(url: "https://notes.example/notes/v3.1", import: ["@note"])'

    assert list(Supergraph.parse(build_supergraph_text(links)).subgraphs) == ["a"]
