"""Requests that are repeated after a lost answer: with the same key, a child or a book is created once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.subgraphs.books.library import CHILD, CREATE_BOOK, CREATE_CHILD, Parent
from tests.support.subgraph import Answer

LISTS = """query ($r: [_Any!]!) {
  _entities(representations: $r) { ... on User { children { id } books { nodes { id } } } }
}"""
DELETE_CHILD = "mutation ($id: ID!) { deleteChild(id: $id) }"
UPDATE_CHILD = "mutation ($input: UpdateChildInput!) { updateChild(input: $input) { id name } }"
KEY = "5b0c8f0e-4f0e-4a39-9d6a-3f4f6e0d7a11"


async def create(parent: Parent, what: str, key: str | None, **changes: Any) -> Answer:
    """Create a child, or a book for the parent's first child."""
    if what == "child":
        return await parent.execute(CREATE_CHILD, input=CHILD | {"idempotencyKey": key} | changes)
    listed = await list_ids(parent, "child")
    brief = {"childId": listed[0] if listed else await parent.create_child(), "wish": "A fox"}
    return await parent.execute(CREATE_BOOK, input=brief | {"idempotencyKey": key} | changes)


def get_id(answer: Answer) -> str:
    [created] = answer.ok.values()
    return str(created["id"])


async def list_ids(parent: Parent, what: str) -> list[str]:
    [user] = (await parent.execute(LISTS, r=[{"__typename": "User", "id": parent.id}])).ok["_entities"]
    return [each["id"] for each in (user["children"] if what == "child" else user["books"]["nodes"])]


pytestmark = pytest.mark.parametrize("what", ["child", "book"])


async def test_a_repeated_request_gives_what_the_first_has_created(parent: Parent, what: str) -> None:
    first, again = [get_id(await create(parent, what, KEY)) for _ in range(2)]
    assert again == first
    assert await list_ids(parent, what) == [first]


async def test_concurrent_requests_create_one(parent: Parent, what: str) -> None:
    await parent.create_child() if what == "book" else None
    answers = await asyncio.gather(*(create(parent, what, KEY) for _ in range(6)))
    assert await list_ids(parent, what) == list({get_id(answer) for answer in answers})


async def test_another_key_or_none_creates_another(parent: Parent, what: str) -> None:
    ids = {get_id(await create(parent, what, key)) for key in (KEY, "another", None, None)}
    assert len(ids) == 4


async def test_the_same_key_of_someone_else_is_another_key(
    parent: Parent, stranger: Parent, what: str
) -> None:
    assert get_id(await create(parent, what, KEY)) != get_id(await create(stranger, what, KEY))


async def test_the_same_key_for_something_else_is_refused(parent: Parent, what: str) -> None:
    created = get_id(await create(parent, what, KEY))
    changes = {"name": "Ben"} if what == "child" else {"wish": "A bear"}
    refused = await create(parent, what, KEY, **changes)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", "idempotencyKey")
    assert refused.errors[0]["message"].startswith("idempotencyKey was used before")
    assert await list_ids(parent, what) == [created]


@pytest.mark.parametrize("key", ["", "  ", "x" * 65, "a\x07b"])
async def test_an_invalid_key_creates_nothing(parent: Parent, what: str, key: str) -> None:
    refused = await create(parent, what, key)
    assert (refused.code, refused.field) == ("BAD_USER_INPUT", "idempotencyKey")
    assert await list_ids(parent, what) == []


async def test_a_key_is_deleted_with_what_it_has_created(parent: Parent, what: str) -> None:
    created = get_id(await create(parent, what, KEY))
    [child_id] = await list_ids(parent, "child")
    await parent.execute(DELETE_CHILD, id=child_id)
    assert get_id(await create(parent, what, KEY)) != created


async def test_a_later_change_of_the_child_does_not_change_the_request(parent: Parent, what: str) -> None:
    created = get_id(await create(parent, what, KEY))
    [child_id] = await list_ids(parent, "child")
    await parent.execute(UPDATE_CHILD, input={"id": child_id, "name": "Ben"})
    assert get_id(await create(parent, what, KEY)) == created
