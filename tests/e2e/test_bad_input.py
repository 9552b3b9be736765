"""Invalid input at the public endpoint gets a clear, typed answer and stores nothing."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from tests.e2e.conftest import FinishedBook
from tests.e2e.parent_client import (
    ADDRESS,
    APPROVE,
    CHILD,
    CREATE_BOOK,
    CREATE_CHILD,
    EDIT,
    QUOTE,
    READ_BOOK,
    WATCH,
    ParentClient,
)

MINE = "query { me { children { id name } books(first: 100) { nodes { id title } } } }"
PAGE = "query ($id: ID!, $number: Int!) { book(id: $id) { page(number: $number) { id number } } }"


async def create_child(parent: ParentClient, **details: Any) -> Any:
    return await parent.get(CREATE_CHILD, input=CHILD | details)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "BAD_REQUEST"),
        (b"[]", "BAD_REQUEST"),
        (b'{"query": 7}', "BAD_REQUEST"),
        (b'{"query": "{ me {"}', "GRAPHQL_PARSE_FAILED"),
        (b'{"query": ""}', "GRAPHQL_PARSE_FAILED"),
    ],
)
async def test_a_malformed_request_is_refused(anybody: ParentClient, body: bytes, code: str) -> None:
    response = await anybody.http.post(
        anybody.url, content=body, headers={"content-type": "application/json"}
    )
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == code
    assert error["message"]


async def test_an_unknown_field_is_named(parent: ParentClient) -> None:
    answer = await parent.execute("query { me { displayName shoeSize } }")
    assert answer.code == "GRAPHQL_VALIDATION_FAILED"
    assert "shoeSize" in answer.errors[0]["message"]
    assert answer.data is None


async def test_a_variable_of_the_wrong_type_is_named(parent: ParentClient) -> None:
    answer = await parent.execute(PAGE, id="book_1", number="four")
    assert answer.code == "BAD_USER_INPUT"
    assert "$number" in answer.errors[0]["message"]


async def test_a_query_that_is_too_deep_is_refused(parent: ParentClient) -> None:
    deep = "title"
    for _ in range(12):
        deep = f"pages {{ book {{ {deep} }} }}"
    answer = await parent.execute(f'query {{ book(id: "book_1") {{ {deep} }} }}')
    assert answer.code == "GRAPHQL_VALIDATION_FAILED"
    assert answer.errors[0]["extensions"] | {"limit": 20, "found": 26} == answer.errors[0]["extensions"]
    assert answer.errors[0]["message"] == "The operation has 26 levels of fields; the maximum is 20."


@pytest.mark.parametrize("token", ["not-a-token", "e30.e30.e30", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9."])
async def test_a_wrong_token_fails_the_request(anybody: ParentClient, token: str) -> None:
    anybody.token = token
    answer = await anybody.execute("query { printProducts { id } }")
    assert (answer.data, answer.code) == (None, "UNAUTHENTICATED")


async def test_without_a_token_no_personal_data_is_answered(anybody: ParentClient) -> None:
    answer = await anybody.execute("query { me { id } }")
    assert answer.code == "UNAUTHENTICATED"
    assert not answer.data


async def test_a_parent_cannot_use_fields_for_staff(parent: ParentClient) -> None:
    answer = await parent.execute("query { printJobs { nodes { id } } }")
    assert answer.code == "FORBIDDEN"


async def test_somebody_elses_book_is_not_found_by_any_operation(
    finished_book: FinishedBook, stranger: ParentClient
) -> None:
    """The answer is the same as for a book that does not exist."""
    book = await finished_book.parent.read(finished_book.book_id)
    page, unknown = book["pages"][3], "book_01k00000000000000000000000"
    version = {"version": book["version"]}
    edit = {"pageId": page["id"], "expectedVersion": page["version"], "text": "Mine now."}
    theirs = [
        await stranger.execute(READ_BOOK, id=finished_book.book_id),
        await stranger.execute("query ($id: ID!) { page(id: $id) { text } }", id=page["id"]),
        await stranger.execute(EDIT, input=edit),
        await stranger.execute(APPROVE, bookId=finished_book.book_id, **version),
    ]
    assert [answer.code for answer in theirs] == ["NOT_FOUND"] * 4
    never_was = await stranger.execute(READ_BOOK, id=unknown)
    message = theirs[0].errors[0]["message"].replace(finished_book.book_id, unknown)
    assert (never_was.code, never_was.errors[0]["message"]) == ("NOT_FOUND", message)
    after = await finished_book.parent.read(finished_book.book_id)
    assert (after["version"], after["status"]) == (book["version"], book["status"])
    assert [page["text"] for page in after["pages"]] == [page["text"] for page in book["pages"]]


async def test_somebody_elses_generation_cannot_be_watched(
    finished_book: FinishedBook, stranger: ParentClient
) -> None:
    newest = "query ($id: ID!) { book(id: $id) { generation { id } } }"
    generation_id = (await finished_book.parent.get(newest, id=finished_book.book_id))["generation"]["id"]
    async with aclosing(stranger.subscribe(WATCH, id=generation_id, after=0)) as answers:
        [answer] = [answer async for answer in answers]
    assert (answer.data, answer.code) == (None, "NOT_FOUND")


async def test_a_stale_expected_version_changes_nothing_and_returns_the_current_page(
    finished_book: FinishedBook,
) -> None:
    page = (await finished_book.parent.read(finished_book.book_id))["pages"][7]
    edited = await finished_book.parent.edit(page, text="The first to come.")
    late = await finished_book.parent.edit(page, text="The second to come.")
    assert late["__typename"] == "EditConflict"
    assert late["current"] == {"text": "The first to come.", "version": edited["version"]}
    assert (await finished_book.parent.read(finished_book.book_id))["pages"][7][
        "text"
    ] == "The first to come."


async def test_one_of_several_concurrent_edits_wins(finished_book: FinishedBook) -> None:
    page = (await finished_book.parent.read(finished_book.book_id))["pages"][9]
    results = await asyncio.gather(*(finished_book.parent.edit(page, text=f"Text {n}.") for n in range(5)))
    assert sorted(result["__typename"] for result in results) == ["EditConflict"] * 4 + ["Page"]
    after = (await finished_book.parent.read(finished_book.book_id))["pages"][9]
    assert after["version"] == page["version"] + 1
    assert after["text"] in {f"Text {n}." for n in range(5)}


@pytest.mark.parametrize("wish", ["", "   \n ", "x" * 5000, "A fox\x00", "A \x1b[31mred fox"])
async def test_a_brief_that_is_empty_too_long_or_unprintable_makes_no_book(
    parent: ParentClient, wish: str
) -> None:
    child = await create_child(parent)
    answer = await parent.execute(CREATE_BOOK, input={"childId": child["id"], "wish": wish})
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "wish")
    assert (await parent.get(MINE))["books"]["nodes"] == []


async def test_a_brief_of_exactly_a_thousand_characters_is_accepted(parent: ParentClient) -> None:
    child = await create_child(parent)
    book = await parent.get(CREATE_BOOK, input={"childId": child["id"], "wish": "ü" * 1000})
    assert book["pageCount"] == 32


@pytest.mark.parametrize(
    "name", ["Zoë 🦊", "<b>Mia</b>", 'Mia"; DROP TABLE children; --', "#set page()", "مايا"]
)
async def test_a_name_may_contain_emoji_or_markup(parent: ParentClient, name: str) -> None:
    assert (await create_child(parent, name=name))["name"] == name
    assert [child["name"] for child in (await parent.get(MINE))["children"]] == [name]


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"birthMonth": "2020-13"}, "birthMonth"),
        ({"birthMonth": "2190-01"}, "birthMonth"),
    ],
)
async def test_an_invalid_child_is_refused_by_field(
    parent: ParentClient, details: dict[str, str], field: str
) -> None:
    answer = await parent.execute(CREATE_CHILD, input=CHILD | details)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)
    assert (await parent.get(MINE))["children"] == []


@pytest.mark.parametrize("number", [-1, 0, 33, 2**31 - 1])
async def test_a_page_number_outside_the_book_has_a_clear_answer(
    finished_book: FinishedBook, number: int
) -> None:
    answer = await finished_book.parent.execute(PAGE, id=finished_book.book_id, number=number)
    if answer.errors:
        assert (answer.code, answer.field) == ("BAD_USER_INPUT", "number")
    else:
        assert answer.data == {"book": {"page": None}}


async def test_a_child_requires_consent_first(anybody: ParentClient) -> None:
    await anybody.sign_up()
    refused = await anybody.get(CREATE_CHILD, input=CHILD)
    assert refused == {"__typename": "ConsentRequired", "purpose": "CHILD_PROFILE"}
    assert (await anybody.get(MINE))["children"] == []


async def test_an_unfinished_book_cannot_be_approved_or_priced(parent: ParentClient) -> None:
    book_id = await parent.create_book()
    refused = await parent.approve(book_id)
    assert refused["__typename"] == "BookIncomplete"
    assert {1, 4, 5, 31} <= set(refused["pages"])
    assert (await parent.create_quote(book_id))["__typename"] == "BookNotApproved"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 101}, "quantity"),
        ({"shippingAddress": {"countryCode": "Atlantis"}}, "shippingAddress.countryCode"),
        ({"shippingAddress": {"name": ""}}, "shippingAddress.name"),
    ],
)
async def test_an_undeliverable_order_is_refused_by_field(
    finished_book: FinishedBook, changes: dict[str, Any], field: str
) -> None:
    await finished_book.parent.approve(finished_book.book_id)
    wanted = {
        "bookId": finished_book.book_id,
        "productId": "casewrap-8.5-square",
        "shippingAddress": ADDRESS | changes.get("shippingAddress", {}),
        "quantity": changes.get("quantity", 1),
    }
    answer = await finished_book.parent.execute(QUOTE, input=wanted)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)


async def test_a_book_is_not_quoted_as_a_product_of_another_format(finished_book: FinishedBook) -> None:
    await finished_book.parent.approve(finished_book.book_id)
    quote = await finished_book.parent.create_quote(finished_book.book_id, productId="casewrap-7.5-square")
    assert quote["__typename"] == "ProductDoesNotFit"


async def test_the_same_address_cannot_sign_up_twice(parent: ParentClient) -> None:
    again = ParentClient(parent.http, parent.url, email=parent.email)
    taken = await again.execute(
        "mutation ($input: SignUpInput!) { signUp(input: $input) { __typename } }",
        input={"email": parent.email.upper(), "password": "another-password", "displayName": "Eve"},
    )
    assert taken.ok == {"signUp": {"__typename": "EmailTaken"}}
