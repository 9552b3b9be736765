"""Access directives of the supergraph, enforced on operations."""

import pytest
from graphql import OperationDefinitionNode, build_schema, parse

from router.errors import AccessError, ForbiddenError, UnauthenticatedError
from router.operation import build_operation
from router.policy.access import AccessRules, Guard, collect_guards, collect_policies, find_refusals
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
  ways: Int @policy(policies: [["moon is full", "weekday"], ["own"]])
  both: Int @policy(policies: [["own"]]) @requiresScopes(scopes: [["staff"]])
  known: Int @policy(policies: [["own"]]) @authenticated
  anybody: Int @policy(policies: [[]])
  nobody: Int @policy(policies: [])
  pet: Pet
  found: Found
  diary: Diary
}

type Mutation { change: User }

interface Node { id: ID name: String }
type User implements Node { id: ID name: String @requiresScopes(scopes: [["staff"]]) }
type Ledger implements Node @authenticated { id: ID name: String }

interface Pet { name: String age: Int }
type Cat implements Pet { name: String @policy(policies: [["likes cats"]]) age: Int }
type Dog implements Pet @policy(policies: [["likes dogs"]]) { name: String age: Int }
union Found = Cat | Dog
scalar Diary @policy(policies: [["own"]])
"""

DOCUMENT = parse(SDL)
RULES = AccessRules.read(DOCUMENT)
SCHEMA = build_schema(SDL)

PARENT = Identity("user_1", frozenset({"parent"}))
ADULT = Identity("user_1", frozenset({"parent", "adult"}))
STAFF = Identity("user_2", frozenset({"staff"}))


def build_guards(query: str) -> tuple[Guard, ...]:
    document = parse(query)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return collect_guards(RULES, build_operation(SCHEMA, document, operation))


def check_access(query: str, identity: Identity | None, *held: str) -> None:
    for refusal in find_refusals(build_guards(query), identity, frozenset(held)):
        raise refusal


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
def test_a_caller_who_meets_every_requirement_is_admitted(query: str, identity: Identity | None):
    check_access(query, identity)


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
def test_the_error_for_an_anonymous_caller_names_the_positions_that_need_a_token(
    query: str, paths: list[tuple[str, ...]]
):
    with pytest.raises(UnauthenticatedError) as refusal:
        check_access(query, None)
    assert refusal.value.paths == paths


@pytest.mark.parametrize("query", ["{ either }", "{ single }", "{ secret }", "{ me { name } }"])
def test_a_token_that_lacks_scopes_is_forbidden(query: str):
    with pytest.raises(ForbiddenError):
        check_access(query, PARENT)


@pytest.mark.parametrize("identity", [None, PARENT, STAFF])
@pytest.mark.parametrize(
    ("query", "held"),
    [
        ("{ ruled }", ["moon is full"]),
        ("{ ways }", ["moon is full", "weekday"]),
        ("{ ways }", ["own"]),
        ("{ diary }", ["own"]),
        ("{ anybody }", []),
        ("{ pet { name } }", ["likes cats", "likes dogs"]),
        ("{ pet { age } }", ["likes dogs"]),
        ("{ pet { ... on Cat { age } } }", []),
        ("{ found { ... on Cat { name } } }", ["likes cats"]),
    ],
)
def test_a_policy_that_holds_is_met_by_any_caller(query: str, held: list[str], identity: Identity | None):
    check_access(query, identity, *held)


@pytest.mark.parametrize("identity", [None, PARENT])
@pytest.mark.parametrize(
    ("query", "held", "paths"),
    [
        ("{ ruled }", [], [("ruled",)]),
        ("{ ways }", ["moon is full"], [("ways",)]),
        ("{ nobody }", ["own"], [("nobody",)]),
        ("{ open ruled diary }", ["moon is full"], [("diary",)]),
        ("{ pet { name } }", ["likes cats"], [("pet", "name")]),
        ("{ pet { age } }", ["likes cats"], [("pet", "age")]),
        ("{ found { ... on Dog { age } } }", [], [("found", "age")]),
        ("{ ...F } fragment F on Query { moon: ruled }", [], [("moon",)]),
    ],
)
def test_a_policy_that_does_not_hold_forbids_its_positions(
    query: str, held: list[str], paths: list[tuple[str, ...]], identity: Identity | None
):
    with pytest.raises(ForbiddenError) as refusal:
        check_access(query, identity, *held)
    assert refusal.value.paths == paths


def test_policies_are_required_beside_scopes_and_tokens():
    check_access("{ both known }", STAFF, "own")
    with pytest.raises(ForbiddenError):
        check_access("{ both }", STAFF)
    with pytest.raises(ForbiddenError):
        check_access("{ both }", PARENT, "own")
    with pytest.raises(UnauthenticatedError):
        check_access("{ known }", None, "own")


def test_the_policies_of_an_operation_are_known_before_it_runs():
    assert collect_policies(build_guards("{ a: ways b: ways diary me { id } }")) == {
        "moon is full",
        "weekday",
        "own",
    }
    assert collect_policies(build_guards("{ open me { id } either }")) == frozenset()


@pytest.mark.parametrize("identity", [None, PARENT])
def test_an_interface_field_requires_what_its_implementations_require(identity: Identity | None):
    with pytest.raises(AccessError) as refusal:
        check_access("{ node { name } }", identity)
    assert refusal.value.paths == [("node", "name")]


def test_a_fragment_narrows_an_interface_to_what_its_type_requires():
    check_access("{ node { ... on User { id } } }", None)


def test_a_supergraph_without_access_directives_has_no_rules():
    assert not AccessRules.read(parse("type Query { a: Int }"))


def test_each_refused_position_is_an_error_of_its_own():
    with pytest.raises(UnauthenticatedError) as refusal:
        check_access("{ a: me { id } b: me { id } }", None)
    assert refusal.value.to_errors() == [
        {
            "message": "Authentication is required.",
            "path": [name],
            "extensions": {"code": "UNAUTHENTICATED"},
        }
        for name in ("a", "b")
    ]
