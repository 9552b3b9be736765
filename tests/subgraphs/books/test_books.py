"""Creating books: all pages exist at once, and an invalid brief stores nothing."""

import pytest

from tests.subgraphs.books.library import CREATE_BOOK, Parent
from tests.support.subgraph import SubgraphClient

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
    answer = await parent.execute(CREATE_BOOK, input=brief)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)
    listed = await parent.execute(BOOKS, r=[{"__typename": "User", "id": parent.id}])
    assert listed.ok["_entities"] == [{"books": {"nodes": []}}]


async def test_a_book_of_another_format_has_its_page_count(parent: Parent) -> None:
    book = await parent.create_book(formatId="square-7.5")
    assert (book["format"], book["pageCount"]) == ({"id": "square-7.5", "trimWidth": 7.5}, 24)
    assert [page["layout"] for page in book["pages"]] == [
        "TITLE", "IMPRINT", "DEDICATION", *SCENE * 10, "CLOSING",
    ]  # fmt: skip


@pytest.mark.parametrize(("page_count", "scenes"), [(32, 14), (24, 10)])
async def test_every_page_of_the_story_knows_its_scene(parent: Parent, page_count: int, scenes: int) -> None:
    book = await parent.create_book(pageCount=page_count)
    assert (book["format"]["id"], book["pageCount"], len(book["pages"])) == (
        "square-8.5",
        page_count,
        page_count,
    )
    spreads = [scene for scene in range(1, scenes + 1) for _ in ("text", "picture")]
    assert [page["scene"] for page in book["pages"]] == [None, None, None, *spreads, None]


@pytest.mark.parametrize(
    "brief", [{"formatId": "square-7.5", "pageCount": 32}, {"pageCount": 25}, {"pageCount": 0}]
)
async def test_a_page_count_that_the_format_does_not_have_is_refused(
    parent: Parent, brief: dict[str, object]
) -> None:
    child_id = await parent.create_child()
    answer = await parent.execute(CREATE_BOOK, input={"childId": child_id, "wish": "A fox", **brief})
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "pageCount")


async def test_an_unknown_format_is_not_found(parent: Parent) -> None:
    brief = {"childId": await parent.create_child(), "wish": "A fox", "formatId": "scroll"}
    assert (await parent.execute(CREATE_BOOK, input=brief)).code == "NOT_FOUND"


async def test_the_formats_are_public_with_their_measures(books: SubgraphClient) -> None:
    fields = "id name trimWidth trimHeight bleed safetyMargin pageCounts layouts"
    listed = (await books.execute(f"{{ bookFormats {{ {fields} }} }}")).ok["bookFormats"]
    assert listed == [
        {
            "id": "square-8.5",
            "name": "Square picture book",
            "trimWidth": 8.5,
            "trimHeight": 8.5,
            "bleed": 0.125,
            "safetyMargin": 0.5,
            "pageCounts": [32, 24],
            "layouts": ["FULL_BLEED", "TEXT", "TEXT_BELOW"],
        },
        {
            "id": "square-7.5",
            "name": "Small square picture book",
            "trimWidth": 7.5,
            "trimHeight": 7.5,
            "bleed": 0.125,
            "safetyMargin": 0.5,
            "pageCounts": [24],
            "layouts": ["FULL_BLEED", "TEXT"],
        },
    ]
    references = [{"__typename": "BookFormat", "id": book_format["id"]} for book_format in listed]
    assert await books.resolve_entities(f"... on BookFormat {{ {fields} }}", references) == listed


async def test_an_unknown_theme_is_a_validation_error(parent: Parent) -> None:
    brief = {"childId": await parent.create_child(), "wish": "A fox", "theme": "HORROR"}
    assert (await parent.execute(CREATE_BOOK, input=brief)).code == "GRAPHQL_VALIDATION_FAILED"


async def test_a_book_for_someone_elses_child_is_refused_as_not_found(
    parent: Parent, stranger: Parent
) -> None:
    brief = {"childId": await parent.create_child(), "wish": "A fox"}
    assert (await stranger.execute(CREATE_BOOK, input=brief)).code == "NOT_FOUND"
