"""Directives of the federation specifications under the names that the links of a supergraph give them."""

from typing import Any

import pytest
from graphql import GraphQLObjectType, ObjectTypeDefinitionNode, parse

from router.policy.access import AccessRules, Requirement
from router.policy.cost import CostRules
from router.supergraph import Supergraph
from router.supergraph.links import SPECIFICATIONS, Vocabulary

LINK = '@link(url: "https://specs.apollo.dev/link/v1.0")'
OURS = "https://specs.apollo.dev"

# The output of composition for subgraphs that import @cost as @price and use @federation__listSize.
COMPOSED = """
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(
    url: "https://specs.apollo.dev/cost/v0.1"
    import: [{name: "@cost", as: "@price"}, {name: "@listSize", as: "@federation__listSize"}]
  )
  @link(url: "https://specs.apollo.dev/inaccessible/v0.2", as: "secret", for: SECURITY)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", import: [{name: "@authenticated", as: "@login"}])
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", as: "scoped", for: SECURITY)
  @link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY)
{
  query: Query
}
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
enum join__Graph { A @join__graph(name: "a", url: "http://a/graphql") }
type Query @join__type(graph: A) {
  a: Int @price(weight: 3)
  b: [Int] @federation__listSize(assumedSize: 4)
  c: Int @login
  d: Int @scoped(scopes: [["x"]])
  e: Int @policy(policies: [["p"]])
  f: Int @secret
}
"""


def identify_directives(links: str, *names: str) -> list[str | None]:
    document = parse(f"schema {links} {{ query: Q }} type Q {' '.join(f'@{name}' for name in names)}")
    [type_] = [node for node in document.definitions if isinstance(node, ObjectTypeDefinitionNode)]
    vocabulary = Vocabulary(document)
    return [vocabulary.get_standard_name(directive) for directive in type_.directives or ()]


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        (f'{LINK} @link(url: "{OURS}/cost/v0.1")', {"cost": "cost", "cost__listSize": "listSize"}),
        (f'{LINK} @link(url: "{OURS}/cost/v0.1", import: ["@listSize"])', {"listSize": "listSize"}),
        (
            f'{LINK} @link(url: "{OURS}/cost/v0.1", as: "price")',
            {"price": "cost", "price__listSize": "listSize", "cost": None, "listSize": None},
        ),
        (
            f'{LINK} @link(url: "{OURS}/policy/v0.1", import: [{{name: "@policy", as: "@rule"}}])',
            {"rule": "policy", "policy": None},
        ),
        (
            f'@core(feature: "{OURS}/core/v0.2") @core(feature: "{OURS}/inaccessible/v0.1", as: "hide")',
            {"hide": "inaccessible", "inaccessible": None},
        ),
        (
            f'@use(url: "{OURS}/link/v1.0", as: "use") @use(url: "{OURS}/policy/v0.1", as: "rule")',
            {"rule": "policy", "policy": None},
        ),
        (f'{LINK} @link(url: "https://else.example/policy/v1.0")', {"policy": None, "cost": "cost"}),
        (f'{LINK} @link(url: "https://else.example/misc/v1.0", import: ["@cost"])', {"cost": None}),
        (f'{LINK} @link(url: "https://else.example/cost", as: "price")', {"cost": "cost", "price": None}),
        (f'@link(url: "{OURS}/policy/v0.1", as: "rule")', {"policy": "policy", "rule": None}),
        (f'{LINK} @contact(url: "{OURS}/policy/v0.1", as: "rule")', {"policy": "policy", "rule": None}),
    ],
)
def test_directives_are_identified_through_links(links: str, expected: dict[str, str | None]):
    assert identify_directives(links, *expected) == list(expected.values())


def test_links_may_be_in_a_schema_extension():
    document = parse(f'extend schema {LINK} @link(url: "{OURS}/policy/v0.1", as: "rule") type Q @rule')
    [_, type_] = document.definitions
    assert len(list(Vocabulary(document).iterate_applications(type_, "policy"))) == 1


def test_unlinked_directives_are_identified_by_their_names():
    names = [name for names in SPECIFICATIONS.values() for name in names]
    assert identify_directives("", *names) == names
    assert identify_directives("", "deprecated", "custom") == [None, None]


def test_the_arguments_of_an_application_are_read():
    document = parse("type Q { a: Int @cost(weight: 3) b: Int }")
    [type_] = document.definitions
    assert isinstance(type_, ObjectTypeDefinitionNode)
    found: list[Any] = [
        list(Vocabulary(document).iterate_applications(field, "cost")) for field in type_.fields or ()
    ]
    assert found == [[{"weight": 3}], []]


def test_renamed_directives_still_guard_weigh_and_hide():
    supergraph = Supergraph.parse(COMPOSED)
    access, costs = AccessRules.read(supergraph.document), CostRules(supergraph.document, 10)
    query = supergraph.public_schema.type_map["Query"]

    assert access.get_field_requirements("Query", "c") == (Requirement(),)
    assert access.get_field_requirements("Query", "d") == (Requirement(scopes=frozenset({frozenset({"x"})})),)
    assert access.get_field_requirements("Query", "e") == (
        Requirement(requires_authentication=False, policies=frozenset({frozenset({"p"})})),
    )
    assert costs.weights == {("Query", "a"): 3}
    assert costs.sizes["Query", "b"].assumed == 4
    assert isinstance(query, GraphQLObjectType)
    assert list(query.fields) == ["a", "b", "c", "d", "e"]
