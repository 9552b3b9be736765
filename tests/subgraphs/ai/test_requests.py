"""Requests to generate books and pages, and their refusals."""

from typing import Any

import pytest

from subgraphs.ai.models import Generation
from subgraphs.ai.providers.ports import Usage
from subgraphs.ai.states import GenerationStatus
from subgraphs.common.ids import new_id
from tests.subgraphs.ai.library import (
    CANCEL,
    GENERATE,
    READ,
    REGENERATE,
    FakeBookWriter,
    Parent,
    build_book_answers,
    run,
)
from tests.support.graph import FakeGraph, GraphError
from tests.support.studio import RecordingStudio
from tests.support.subgraph import SubgraphClient
from tests.support.tokens import sign_token


async def test_a_book_is_queued_with_all_its_steps(parent: Parent) -> None:
    book_id = new_id("book")
    generation = await parent.generate(book_id)
    assert generation["__typename"] == "Generation"
    assert (generation["kind"], generation["status"], generation["provider"]) == ("BOOK", "QUEUED", "offline")
    assert (generation["stepsDone"], generation["stepsTotal"], generation["lastSequence"]) == (0, 30, 0)
    assert generation["book"] == {"id": book_id}
    kinds = [step["kind"] for step in generation["steps"]]
    assert kinds == ["OUTLINE", *["SCENE_TEXT"] * 14, "COVER", *["ILLUSTRATION"] * 14]
    pages = [step["page"] and step["page"]["id"] for step in generation["steps"]]
    assert pages[1:15] == [f"{book_id}-{number}" for number in range(4, 31, 2)]
    assert pages[16:] == [f"{book_id}-{number}" for number in range(5, 32, 2)]


async def test_a_shorter_book_has_a_step_for_each_page_of_its_story(
    ai: SubgraphClient, parent: Parent, graph: FakeGraph
) -> None:
    graph.answers |= build_book_answers(page_count=24)
    book_id = new_id("book")
    generation = await parent.generate(book_id)
    kinds = [step["kind"] for step in generation["steps"]]
    assert kinds == ["OUTLINE", *["SCENE_TEXT"] * 10, "COVER", *["ILLUSTRATION"] * 10]
    studio, books = RecordingStudio(), FakeBookWriter()
    await run(ai, studio, books, generation["id"])
    assert (await parent.read(generation["id"]))["status"] == "COMPLETED"
    assert books.outline is not None
    assert len(books.outline.scenes) == 10
    assert set(books.texts) == {f"{book_id}-{number}" for number in range(4, 24, 2)}
    assert set(books.pictures) == {None, *(f"{book_id}-{number}" for number in range(5, 24, 2))}

    again = await parent.regenerate(f"{book_id}-22", "TEXT")
    await run(ai, studio, books, again["id"])
    assert studio.calls[-1] == ("scene", 10)


async def test_a_generation_keeps_the_length_that_its_book_had(
    ai: SubgraphClient, parent: Parent, graph: FakeGraph
) -> None:
    generation = await parent.generate(new_id("book"))
    graph.answers |= build_book_answers(page_count=24)
    books = FakeBookWriter()
    await run(ai, RecordingStudio(), books, generation["id"])
    assert books.outline is not None
    assert (len(books.outline.scenes), len(books.texts)) == (14, 14)


async def test_a_book_has_one_running_generation_at_a_time(parent: Parent) -> None:
    book_id = new_id("book")
    first = await parent.generate(book_id)
    second = await parent.generate(book_id)
    assert second["__typename"] == "GenerationRunning"
    assert second["generation"] == {"id": first["id"], "status": "QUEUED"}
    assert (await parent.execute(CANCEL, id=first["id"])).ok["cancelGeneration"]["status"] == "CANCELLED"
    assert (await parent.generate(book_id))["__typename"] == "Generation"


@pytest.mark.parametrize(
    "consents",
    [
        [],
        [{"purpose": "CHILD_PROFILE", "revokedAt": None}],
        [{"purpose": "AI_PROCESSING", "revokedAt": "2026-01-01T00:00:00+00:00"}],
    ],
)
async def test_without_a_valid_consent_nothing_is_queued(
    parent: Parent, graph: FakeGraph, consents: list[Any]
) -> None:
    graph.answers["me"] = {"consents": consents}
    assert await parent.generate(new_id("book")) == {
        "__typename": "ConsentRequired",
        "purpose": "AI_PROCESSING",
        "message": "This needs your consent for the purpose AI_PROCESSING.",
    }


@pytest.mark.parametrize(
    ("change", "field", "category"),
    [
        ({"wish": "A tale in which he MURDERS the baker"}, "wish", "violence"),
        ({"appearance": "naked"}, "child.appearance", "sexual"),
        ({"interests": ["drawing", "suicide"]}, "child.interests", "self-harm"),
        ({"name": "Hitler"}, "child.name", "hate"),
    ],
)
async def test_content_unsuitable_for_children_is_rejected_by_its_field(
    parent: Parent, graph: FakeGraph, change: dict[str, Any], field: str, category: str
) -> None:
    graph.answers |= build_book_answers(**change)
    book_id = new_id("book")
    rejected = await parent.generate(book_id)
    assert rejected.pop("message").startswith(f"This does not suit a children's book ({category}): ")
    assert rejected == {
        "__typename": "ModerationRejected",
        "stage": "INPUT",
        "field": field,
        "category": category,
        "retryable": True,
    }
    graph.answers |= build_book_answers(wish="A knight who sits in a class with a cockatoo")
    assert (await parent.generate(book_id))["__typename"] == "Generation"


async def test_a_language_that_the_studio_cannot_write_is_refused(parent: Parent, graph: FakeGraph) -> None:
    graph.answers |= build_book_answers(language="de")
    refused = await parent.execute(GENERATE, id=new_id("book"))
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", "brief.language")


async def test_a_book_unknown_to_the_graph_is_not_found(parent: Parent, graph: FakeGraph) -> None:
    graph.answers["book"] = GraphError("NOT_FOUND", "Book 'book_x' was not found.")
    assert (await parent.execute(GENERATE, id="book_x")).code == "NOT_FOUND"


async def test_the_graph_is_queried_with_the_token_of_the_parent(
    ai: SubgraphClient, parent: Parent, graph: FakeGraph
) -> None:
    token = parent.token
    assert (await ai.execute(GENERATE, {"id": new_id("book")}, token)).ok
    assert {request["headers"]["authorization"] for request in graph.requests} == {f"Bearer {token}"}


async def test_generating_requires_the_scope_of_a_parent(ai: SubgraphClient, parent: Parent) -> None:
    generation = await parent.generate(new_id("book"))
    variables = {"id": new_id("book")}
    assert (await ai.execute(GENERATE, variables)).code == "UNAUTHENTICATED"
    assert (await ai.execute(GENERATE, variables, sign_token("usr_s", ["staff"]))).code == "FORBIDDEN"
    cancel = await ai.execute(CANCEL, {"id": generation["id"]}, sign_token(parent.id, ["staff"]))
    assert cancel.code == "FORBIDDEN"
    assert (await ai.execute(READ, {"id": generation["id"]})).code == "UNAUTHENTICATED"


async def test_somebody_elses_generation_is_not_found(parent: Parent, stranger: Parent) -> None:
    generation = await parent.generate(new_id("book"))
    assert (await stranger.execute(READ, id=generation["id"])).code == "NOT_FOUND"
    assert (await stranger.execute(CANCEL, id=generation["id"])).code == "NOT_FOUND"
    assert (await parent.read(generation["id"]))["status"] == "QUEUED"


async def test_a_page_is_regenerated_from_its_own_story(ai: SubgraphClient, parent: Parent) -> None:
    book_id = new_id("book")
    books = FakeBookWriter()
    await run(ai, RecordingStudio(), books, (await parent.generate(book_id))["id"])
    first_text, first_picture = books.texts[f"{book_id}-10"], books.pictures[f"{book_id}-11"]

    again = await parent.regenerate(f"{book_id}-10", "TEXT", instruction="More about the fox, please")
    assert [(step["kind"], step["page"]) for step in again["steps"]] == [
        ("SCENE_TEXT", {"id": f"{book_id}-10", "number": 10})
    ]
    studio = RecordingStudio()
    await run(ai, studio, books, again["id"])
    assert studio.calls == [("scene", 4)]
    assert books.texts[f"{book_id}-10"] != first_text
    assert (await parent.read(again["id"]))["status"] == "COMPLETED"

    picture = await parent.regenerate(f"{book_id}-11", "ILLUSTRATION")
    await run(ai, studio, books, picture["id"])
    assert studio.calls[1:] == [("picture", 4)]
    async with ai.runtime.database.read() as session:
        with_instruction = await session.get_one(Generation, again["id"])
        without = await session.get_one(Generation, picture["id"])
    assert with_instruction.moderation_usage == Usage("offline").as_json()
    assert without.moderation_usage is None
    assert books.pictures[f"{book_id}-11"].sha256 != first_picture.sha256
    assert books.finished == 1


@pytest.mark.parametrize(
    ("number", "parts", "field"),
    [
        (1, ["ILLUSTRATION"], "pageId"),
        (3, ["TEXT"], "pageId"),
        (32, ["TEXT"], "pageId"),
        (4, ["ILLUSTRATION"], "parts"),
        (5, ["TEXT"], "parts"),
        (4, [], "parts"),
    ],
)
async def test_only_parts_that_a_page_has_can_be_regenerated(
    parent: Parent, number: int, parts: list[str], field: str
) -> None:
    variables = {"pageId": f"{new_id('book')}-{number}", "parts": parts}
    refused = await parent.execute(REGENERATE, input=variables)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", field)


async def test_an_instruction_of_5000_characters_is_refused(parent: Parent, graph: FakeGraph) -> None:
    variables = {"pageId": f"{new_id('book')}-4", "parts": ["TEXT"], "instruction": "x" * 5000}
    refused = await parent.execute(REGENERATE, input=variables)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", "instruction")
    assert graph.requests == []


async def test_an_instruction_is_moderated_too(parent: Parent) -> None:
    rejected = await parent.regenerate(f"{new_id('book')}-4", "TEXT", instruction="add porn")
    assert (rejected["__typename"], rejected["field"]) == ("ModerationRejected", "instruction")


async def test_a_page_of_a_book_without_a_story_cannot_be_regenerated(parent: Parent) -> None:
    refused = await parent.execute(REGENERATE, input={"pageId": f"{new_id('book')}-4", "parts": ["TEXT"]})
    assert refused.code == "CONFLICT"


async def test_a_second_generation_tells_another_story(ai: SubgraphClient, parent: Parent) -> None:
    book_id = new_id("book")
    books, other = FakeBookWriter(), FakeBookWriter()
    await run(ai, RecordingStudio(), books, (await parent.generate(book_id))["id"])
    await run(ai, RecordingStudio(), other, (await parent.generate(book_id))["id"])
    assert books.texts.keys() == other.texts.keys()
    assert books.texts != other.texts


async def test_a_book_lists_its_generations_newest_first(
    ai: SubgraphClient, parent: Parent, stranger: Parent
) -> None:
    book_id, empty_id = new_id("book"), new_id("book")
    ids: list[str] = []
    for _ in range(3):
        ids.insert(0, (await parent.generate(book_id))["id"])
        await parent.execute(CANCEL, id=ids[0])
    selection = (
        "... on Book { id generation { id } generations(first: 2) { nodes { id } pageInfo { hasNextPage } } }"
    )
    books = [{"__typename": "Book", "id": id} for id in (book_id, empty_id)]
    assert await ai.resolve_entities(selection, books, parent.token) == [
        {
            "id": book_id,
            "generation": {"id": ids[0]},
            "generations": {"nodes": [{"id": ids[0]}, {"id": ids[1]}], "pageInfo": {"hasNextPage": True}},
        },
        {
            "id": empty_id,
            "generation": None,
            "generations": {"nodes": [], "pageInfo": {"hasNextPage": False}},
        },
    ]
    theirs = await ai.resolve_entities(selection, books[:1], stranger.token)
    assert theirs[0]["generation"] is None
    assert theirs[0]["generations"]["nodes"] == []


async def test_the_statements_of_a_fetch_do_not_grow_with_the_books(
    ai: SubgraphClient, parent: Parent
) -> None:
    books = [new_id("book") for _ in range(6)]
    for book_id in books:
        await parent.generate(book_id)
    selection = "... on Book { generation { status steps { id } stepsDone } generations { nodes { id } } }"

    async def count_statements_of_fetch(ids: list[str]) -> int:
        before = await ai.count_statements()
        await ai.resolve_entities(selection, [{"__typename": "Book", "id": id} for id in ids], parent.token)
        return await ai.count_statements() - before

    assert await count_statements_of_fetch(books[:1]) == await count_statements_of_fetch(books) == 3


async def test_entities_are_resolved_for_their_owner_only(
    ai: SubgraphClient, parent: Parent, stranger: Parent
) -> None:
    generation = await parent.generate(new_id("book"))
    step_id = generation["steps"][0]["id"]
    references = [
        {"__typename": "Generation", "id": generation["id"]},
        {"__typename": "GenerationStep", "id": step_id},
    ]
    selection = "... on Generation { status } ... on GenerationStep { kind }"
    assert await ai.resolve_entities(selection, references, parent.token) == [
        {"status": "QUEUED"},
        {"kind": "OUTLINE"},
    ]
    assert await ai.resolve_entities(selection, references, stranger.token) == [None, None]


async def test_cancelling_an_ended_generation_changes_nothing(ai: SubgraphClient, parent: Parent) -> None:
    generation = await parent.generate(new_id("book"))
    await run(ai, RecordingStudio(), FakeBookWriter(), generation["id"])
    before = await parent.read(generation["id"])
    assert before["status"] == GenerationStatus.COMPLETED
    assert (await parent.execute(CANCEL, id=generation["id"])).ok["cancelGeneration"]["status"] == "COMPLETED"
    assert await parent.read(generation["id"]) == before
