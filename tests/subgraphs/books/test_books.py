"""Creating books: all pages exist at once, and an invalid brief stores nothing."""

import pytest

from tests.subgraphs.books.library import CREATE_BOOK, Parent

SCENE = ["TEXT", "FULL_BLEED"]
BOOKS = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { books { nodes { id } } } } }"


async def test_a_new_book_is_a_draft_with_all_its_pages_empty(parent: Parent) -> None:
    book = await parent.create_book(dedication="For Mia", theme="BEDTIME")
    assert [page["number"] for page in book["pages"]] == list(range(1, 33))
    assert [page["layout"] for page in book["pages"]] == [
        "TITLE", "IMPRINT", "DEDICATION", *SCENE * 14, "CLOSING",
    ]  # fmt: skip
    assert {(page["text"], page["version"], page["illustration"]) for page in book["pages"]} == {
        ("", 0, None)
    }
    assert (book["status"], book["version"], book["pageCount"], book["title"]) == ("DRAFT", 1, 32, "")
    assert book["brief"] == {
        "wish": "A fox with a lantern",
        "theme": "BEDTIME",
        "language": "en",
        "dedication": "For Mia",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("wish", ""),
        ("wish", " \n "),
        ("wish", "x" * 5000),
        ("language", "English"),
        ("dedication", "x" * 900),
        ("dedication", "\n".join(["for"] * 60)),
        ("dedication", "美"),
    ],
)
async def test_a_bad_brief_is_refused_and_nothing_is_written(parent: Parent, field: str, value: str) -> None:
    child_id = await parent.create_child()
    brief = {"childId": child_id, "wish": "A fox", field: value}
    answer = await parent.ask(CREATE_BOOK, input=brief)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)
    listed = await parent.ask(BOOKS, r=[{"__typename": "User", "id": parent.id}])
    assert listed.ok["_entities"] == [{"books": {"nodes": []}}]


async def test_an_unknown_theme_is_a_validation_error(parent: Parent) -> None:
    brief = {"childId": await parent.create_child(), "wish": "A fox", "theme": "HORROR"}
    assert (await parent.ask(CREATE_BOOK, input=brief)).code == "GRAPHQL_VALIDATION_FAILED"


async def test_a_book_for_someone_elses_child_is_refused_as_not_found(
    parent: Parent, stranger: Parent
) -> None:
    brief = {"childId": await parent.create_child(), "wish": "A fox"}
    assert (await stranger.ask(CREATE_BOOK, input=brief)).code == "NOT_FOUND"
