"""Access directives of the supergraph, enforced on operations."""

import pytest
from graphql import OperationDefinitionNode, build_schema, parse

from router.errors import AccessError, ForbiddenError, UnauthenticatedError
from router.policy.access import AccessRules, enforce, guards
from router.policy.auth import Identity

SDL = """
directive @authenticated on OBJECT | INTERFACE | FIELD_DEFINITION | SCALAR | ENUM
directive @requiresScopes(scopes: [[String!]!]!) on OBJECT | INTERFACE | FIELD_DEFINITION | SCALAR | ENUM
directive @policy(policies: [[String!]!]!) on OBJECT | INTERFACE | FIELD_DEFINITION | SCALAR | ENUM

scalar Secret @requiresScopes(scopes: [["staff"]])

type Query {
  open: Int
  me: User @authenticated
  secret: Secret
  ledger: Ledger
  node: Node
  either: Int @requiresScopes(scopes: [["parent", "adult"], ["staff"]])
  single: Int @requiresScopes(scopes: "staff")
  ruled: Int @policy(policies: [["moon is full"]])
}

type Mutation { change: User }

interface Node { id: ID name: String }
type User implements Node { id: ID name: String @requiresScopes(scopes: [["staff"]]) }
type Ledger implements Node @authenticated { id: ID name: String }
"""

DOCUMENT = parse(SDL)
RULES = AccessRules.of(DOCUMENT)
SCHEMA = build_schema(SDL)

PARENT = Identity("user_1", frozenset({"parent"}))
ADULT = Identity("user_1", frozenset({"parent", "adult"}))
STAFF = Identity("user_2", frozenset({"staff"}))


def ask(query: str, identity: Identity | None) -> None:
    document = parse(query)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    enforce(guards(RULES, SCHEMA, document, operation), identity)


@pytest.mark.parametrize(
    ("query", "identity"),
    [
        ("{ open }", None),
        ("{ me { id } }", PARENT),
        ("{ me { name } }", STAFF),
        ("{ either }", ADULT),
        ("{ either }", STAFF),
        ("{ single }", STAFF),
        ("{ secret }", STAFF),
        ("mutation { change { id } }", None),
    ],
)
def test_a_caller_who_meets_every_requirement_may_ask(query: str, identity: Identity | None):
    ask(query, identity)


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("{ open me { id } }", [("me",)]),
        ("{ mine: me { id } }", [("mine",)]),
        ("{ ledger { id } }", [("ledger",), ("ledger", "id")]),
        ("mutation { change { who: name } }", [("change", "who")]),
        ("{ ...F } fragment F on Query { me { id } }", [("me",)]),
        ("{ ... { me { id } } }", [("me",)]),
    ],
)
def test_an_anonymous_caller_reads_which_positions_need_a_token(query: str, paths: list[tuple[str, ...]]):
    with pytest.raises(UnauthenticatedError) as refusal:
        ask(query, None)
    assert refusal.value.paths == paths


@pytest.mark.parametrize("query", ["{ either }", "{ single }", "{ secret }", "{ me { name } }"])
def test_a_token_that_lacks_scopes_is_forbidden(query: str):
    with pytest.raises(ForbiddenError):
        ask(query, PARENT)


def test_nobody_meets_a_policy_that_nothing_evaluates():
    with pytest.raises(ForbiddenError):
        ask("{ ruled }", STAFF)


@pytest.mark.parametrize("identity", [None, PARENT])
def test_an_interface_field_is_as_guarded_as_its_most_guarded_implementation(identity: Identity | None):
    with pytest.raises(AccessError) as refusal:
        ask("{ node { name } }", identity)
    assert refusal.value.paths == [("node", "name")]


def test_a_fragment_narrows_an_interface_to_what_its_type_requires():
    ask("{ node { ... on User { id } } }", None)


def test_a_supergraph_without_access_directives_has_no_rules():
    assert not AccessRules.of(parse("type Query { a: Int }"))


def test_each_refused_position_is_an_error_of_its_own():
    with pytest.raises(UnauthenticatedError) as refusal:
        ask("{ a: me { id } b: me { id } }", None)
    assert refusal.value.formatted() == [
        {
            "message": "This needs a signed-in caller.",
            "path": [name],
            "extensions": {"code": "UNAUTHENTICATED"},
        }
        for name in ("a", "b")
    ]
