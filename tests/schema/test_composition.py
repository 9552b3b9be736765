"""Composition of small subgraphs, and the reporting of their errors."""

from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.schema.composition import CompositionError, compose, extract_public_schema
from infra.schema.config import Subgraph, load_config
from tests.support.planning import SUPERGRAPHS

LINK = """
extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.9"
  import: ["@key", "@authenticated", "@requiresScopes", "@shareable", "@inaccessible"]
)
"""
PEOPLE = f"""{LINK}
type Query {{
  me: Person @authenticated
  everyone: [Person!]! @requiresScopes(scopes: [["staff"]])
}}
type Person @key(fields: "id") {{ id: ID! name: String! secret: String @inaccessible }}
"""
READING = f"""{LINK}
type Person @key(fields: "id") {{ id: ID! books: [String!]! }}
"""
SUBGRAPHS = [
    Subgraph("people", "http://127.0.0.1:4001/graphql", Path("people.graphql")),
    Subgraph("reading", "http://127.0.0.1:4002/graphql", Path("reading.graphql")),
]


def test_an_entity_is_joined_from_both_subgraphs():
    composed = compose(SUBGRAPHS, {"people": PEOPLE, "reading": READING})
    assert 'PEOPLE @join__graph(name: "people", url: "http://127.0.0.1:4001/graphql")' in composed.supergraph
    assert '@join__type(graph: READING, key: "id")' in composed.supergraph
    assert "books: [String!]! @join__field(graph: READING)" in composed.supergraph


def test_access_directives_are_kept_in_the_supergraph():
    composed = compose(SUBGRAPHS, {"people": PEOPLE, "reading": READING})
    assert "me: Person @join__field(graph: PEOPLE) @authenticated" in composed.supergraph
    assert '@requiresScopes(scopes: [["staff"]])' in composed.supergraph


def test_composing_the_market_gives_the_supergraph_of_the_router_tests():
    names = ("ledger", "money", "shop")
    subgraphs = [Subgraph(name, f"http://{name}/graphql", Path(f"{name}.graphql")) for name in names]
    schemas = {name: (SUPERGRAPHS / "market" / f"{name}.graphql").read_text() for name in names}

    composed = compose(subgraphs, schemas)

    assert composed.supergraph.endswith("\n" + (SUPERGRAPHS / "market.graphql").read_text())


def test_the_public_schema_has_neither_joins_nor_inaccessible_fields():
    composed = compose(SUBGRAPHS, {"people": PEOPLE, "reading": READING})
    assert " ".join(composed.public.split()) == (
        "type Query { me: Person everyone: [Person!]! } "
        "type Person { id: ID! name: String! books: [String!]! }"
    )
    assert extract_public_schema(composed.supergraph).split() == composed.public.split()


def test_composing_twice_gives_the_same_text():
    schemas = {"people": PEOPLE, "reading": READING}
    assert compose(SUBGRAPHS, schemas) == compose(SUBGRAPHS, schemas)


def test_conflicts_between_subgraphs_are_reported_in_detail():
    with pytest.raises(CompositionError) as failure:
        compose(SUBGRAPHS, {"people": PEOPLE, "reading": READING.replace("books", "name: Int books")})
    assert failure.value.problems == [
        (
            'Type of field "Person.name" is incompatible across subgraphs: it has type "String!" in subgraph'
            ' "people" but type "Int" in subgraph "reading" (FIELD_TYPE_MISMATCH)'
        ),
        (
            'Non-shareable field "Person.name" is resolved from multiple subgraphs: it is resolved from'
            ' subgraphs "people" and "reading" and defined as non-shareable in all of them'
            " (INVALID_FIELD_SHARING)"
        ),
    ]


def test_a_schema_that_cannot_be_parsed_is_reported_with_its_subgraph():
    with pytest.raises(CompositionError, match='schema of subgraph "reading" cannot be parsed: Syntax Error'):
        compose(SUBGRAPHS, {"people": PEOPLE, "reading": "type Person {"})


def test_the_configuration_has_the_format_of_rover(tmp_path):
    config = tmp_path / "supergraph.yaml"
    config.write_text(
        "federation_version: =2.9.0\n"
        "subgraphs:\n  people:\n    routing_url: http://127.0.0.1:4001/graphql\n"
        "    schema:\n      file: ./schema/people.graphql\n"
    )
    assert load_config(config) == [
        Subgraph("people", "http://127.0.0.1:4001/graphql", tmp_path / "schema" / "people.graphql")
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("subgraphs: {people: {schema: {file: a}}}", "subgraphs.people.routing_url: Field required"),
        ("subgraphs: {people: {routing_url: a}}", "subgraphs.people.schema: Field required"),
        ("subgraphs: [", "is not YAML"),
    ],
)
def test_an_invalid_configuration_is_explained(tmp_path, content, message):
    config = tmp_path / "supergraph.yaml"
    config.write_text(content)
    with pytest.raises(InfraError, match=message):
        load_config(config)


def test_a_missing_configuration_file_is_named(tmp_path):
    with pytest.raises(InfraError, match=r"nowhere.yaml does not exist"):
        load_config(tmp_path / "nowhere.yaml")
