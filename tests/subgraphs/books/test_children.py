"""Children: described with consent, corrected, refused when something is wrong."""

import pytest

from subgraphs.common.runtime import Runtime
from tests.subgraphs.books.library import CHILD, CREATE_CHILD, Parent
from tests.support.graph import FakeGraph, GraphError
from tests.support.subgraph import SubgraphClient
from tests.support.tokens import sign_token

UPDATE = """
mutation ($input: UpdateChildInput!) {
  updateChild(input: $input) { id name birthMonth pronouns appearance interests }
}"""
READ = "query ($id: ID!) { child(id: $id) { name appearance interests } }"


async def test_a_child_is_stored_as_described(parent: Parent) -> None:
    answer = await parent.execute(CREATE_CHILD, input=CHILD)
    created = answer.ok["createChild"]
    assert created.pop("id").startswith("chd_")
    assert created == {"__typename": "Child", **CHILD}


async def test_a_child_requires_the_consent_of_the_parent(parent: Parent, graph: FakeGraph) -> None:
    graph.answers["me"] = {"consents": [{"purpose": "AI_PROCESSING", "revokedAt": None}]}
    answer = await parent.execute(CREATE_CHILD, input=CHILD)
    assert answer.ok["createChild"] == {
        "__typename": "ConsentRequired",
        "purpose": "CHILD_PROFILE",
        "message": "This needs your consent for the purpose CHILD_PROFILE.",
    }


async def test_a_revoked_consent_does_not_count(parent: Parent, graph: FakeGraph) -> None:
    graph.answers["me"] = {"consents": [{"purpose": "CHILD_PROFILE", "revokedAt": "2026-01-01T00:00:00Z"}]}
    answer = await parent.execute(CREATE_CHILD, input=CHILD)
    assert answer.ok["createChild"]["__typename"] == "ConsentRequired"


async def test_the_graph_is_queried_with_the_token_of_the_caller(parent: Parent, graph: FakeGraph) -> None:
    token = parent.token
    await parent.client.execute(CREATE_CHILD, {"input": CHILD}, token)
    assert graph.requests[-1]["headers"]["authorization"] == f"Bearer {token}"


async def test_no_child_is_stored_when_the_graph_does_not_answer(parent: Parent, graph: FakeGraph) -> None:
    graph.answers["me"] = GraphError("DOWNSTREAM_SERVICE_ERROR")
    assert (await parent.execute(CREATE_CHILD, input=CHILD)).code == "DEPENDENCY_FAILED"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "   "),
        ("name", "x" * 61),
        ("name", "Mia\x07"),
        ("name", "美雅"),
        ("birthMonth", "2020-13"),
        ("birthMonth", "May 2020"),
        ("birthMonth", "1980-01"),
        ("birthMonth", "2999-01"),
        ("appearance", "x" * 501),
        ("interests", ["x"] * 11),
        ("interests", [""]),
    ],
)
async def test_an_invalid_value_is_named(parent: Parent, field: str, value: object) -> None:
    answer = await parent.execute(CREATE_CHILD, input=CHILD | {field: value})
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)


@pytest.mark.parametrize("name", ["Mia 🦊", "<b>Mia</b>", "*Mia* #1 $x$", "Zoë-Łucja", "Жанна", "نور"])
async def test_markup_and_emoji_are_part_of_a_name(parent: Parent, name: str) -> None:
    child_id = await parent.create_child(name=name)
    assert (await parent.execute(READ, id=child_id)).ok["child"]["name"] == name


@pytest.mark.parametrize("invisible", ["\u202e", "\u2066", "\u200b", "\u00ad", "\ufeff"])
async def test_no_text_about_a_child_keeps_invisible_characters(parent: Parent, invisible: str) -> None:
    texts = {
        "name": f"Mi{invisible}a",
        "appearance": f"{invisible}red curls",
        "interests": [f"foxes{invisible}"],
    }
    child_id = await parent.create_child(**texts)
    child = (await parent.execute(READ, id=child_id)).ok["child"]
    assert (child["name"], child["appearance"], child["interests"]) == ("Mia", "red curls", ["foxes"])


async def test_an_update_changes_only_the_given_fields(parent: Parent) -> None:
    child_id = await parent.create_child()
    answer = await parent.execute(UPDATE, input={"id": child_id, "appearance": "Short hair"})
    assert answer.ok["updateChild"] == {**CHILD, "id": child_id, "appearance": "Short hair"}


async def test_someone_elses_child_is_not_found(parent: Parent, stranger: Parent) -> None:
    child_id = await parent.create_child()
    assert (await stranger.execute(READ, id=child_id)).code == "NOT_FOUND"
    assert (await stranger.execute(UPDATE, input={"id": child_id, "name": "Ida"})).code == "NOT_FOUND"
    assert (
        await stranger.execute("mutation ($id: ID!) { deleteChild(id: $id) }", id=child_id)
    ).code == "NOT_FOUND"
    assert (await parent.execute(READ, id=child_id)).ok["child"]["name"] == "Mia"


async def test_without_a_token_nothing_is_answered(books: SubgraphClient, parent: Parent) -> None:
    child_id = await parent.create_child()
    answer = await books.execute(CREATE_CHILD, {"input": CHILD})
    assert answer.code == "UNAUTHENTICATED"
    assert (await books.execute(READ, {"id": child_id})).code == "UNAUTHENTICATED"


async def test_a_child_requires_the_scope_of_a_parent(books: SubgraphClient, runtime: Runtime) -> None:
    staff = sign_token("usr_staff", ["staff"])
    assert (await books.execute(CREATE_CHILD, {"input": CHILD}, staff)).code == "FORBIDDEN"
