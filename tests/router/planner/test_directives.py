"""Executable directives of subgraphs are passed on, on fields and on operations."""

from __future__ import annotations

import pytest

from tests.support.federated import Federated

LOUD = """
directive @shout(level: Int) on FIELD | QUERY
directive @tagged(name: String!) repeatable on FIELD | MUTATION
type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  nick: String @join__field(graph: B)
}
type Query @join__type(graph: A) @join__type(graph: B) {
  s: String @join__field(graph: A)
  user: User @join__field(graph: A)
}
type Mutation @join__type(graph: A) { grow: User }
"""
REPRESENTATIONS = "$representations:[_Any!]!"
NICK = "nick @shout(level: $l)"
ENTITIES = "_entities(representations:$representations)"
USER = {"__typename": "User", "id": "1", "nick": "Bo"}
WORLD = {"s": "x", "user": USER, "grow": USER}


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("query @shout { s @shout(level: 2) }", ["query @shout{s @shout(level: 2)}"]),
        (
            "query($l: Int) @shout(level: $l) { user { nick @shout(level: $l) } }",
            [
                "query($l:Int) @shout(level: $l){user{id}}",
                f"query($l:Int,{REPRESENTATIONS}) @shout(level: $l){{{ENTITIES}{{...on User{{{NICK}}}}}}}",
            ],
        ),
        ("{ s @shout @skip(if: false) ... @defer { a: s } }", ["query{s @shout a:s}"]),
        ("{ s @shout(level: 1) s @shout(level: 2) }", ["query{s @shout(level: 1)}"]),
        (
            '{ s @tagged(name: "a") s @tagged(name: "b") s @tagged(name: "a") }',
            ['query{s @tagged(name: "a") @tagged(name: "b")}'],
        ),
        (
            'mutation @tagged(name: "a") { grow { nick } }',
            [
                'mutation @tagged(name: "a"){grow{id}}',
                f"query({REPRESENTATIONS}){{{ENTITIES}{{...on User{{nick}}}}}}",
            ],
        ),
    ],
)
async def test_directives_reach_the_subgraphs_with_their_variables(text: str, sent: list[str]):
    loud = Federated(LOUD, WORLD)
    result = await loud.run(text, **({"l": 3} if "$l" in text else {}))

    assert result.errors == []
    assert [body["query"] for _, body in loud.requests] == sent


async def test_a_field_under_a_directive_is_separate_from_the_one_that_the_router_needs():
    loud = Federated(LOUD, WORLD)
    result = await loud.run("{ user { id @shout nick } }")

    assert result.data == {"user": {"id": "1", "nick": "Bo"}}
    assert loud.requests[0][1]["query"] == "query{user{id @shout _id_1:id}}"


def test_a_plan_shows_directives():
    plan = str(Federated(LOUD, WORLD).plan("query @shout { s @shout(level: 2) }"))

    assert 'Fetch(service: "a") @shout {' in plan
    assert "s @shout(level: 2)" in plan
