"""Pages of many lists, read in one statement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from subgraphs.auth.models import Session, User
from subgraphs.common.errors import BadUserInput
from subgraphs.common.ids import new_id
from subgraphs.common.pagination import PageRequest, load_page, load_pages
from subgraphs.common.runtime import Runtime


async def create_user_with_sessions(runtime: Runtime, count: int) -> tuple[str, list[str]]:
    now = runtime.clock()
    user_id, ids = new_id("usr"), [new_id("ses") for _ in range(count)]
    async with runtime.unit_of_work() as uow:
        uow.session.add(
            User(
                id=user_id,
                email=uuid4().hex,
                display_name="Ana",
                password_hash="",
                scopes=[],
                created_at=now,
            )
        )
        await uow.session.flush()
        uow.session.add_all(
            Session(
                id=id_,
                user_id=user_id,
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(days=1),
            )
            for id_ in ids
        )
    return user_id, ids[::-1]


async def read_page(runtime: Runtime, user_ids: list[str], first: int, after: str | None = None) -> Any:
    async with runtime.database.read() as session:
        return await load_pages(
            session, select(Session), Session.user_id, user_ids, PageRequest.of(first, after)
        )


@pytest.mark.parametrize("first", [1, 2, 3, 7, 8, 100])
async def test_paging_returns_every_row_once_newest_first(runtime: Runtime, first: int) -> None:
    user_id, ids = await create_user_with_sessions(runtime, 7)
    walked: list[str] = []
    cursor, more = None, True
    while more:
        page = (await read_page(runtime, [user_id], first, cursor))[user_id]
        assert page.has_previous is (cursor is not None)
        walked += [row.id for row in page.rows]
        cursor, more = page.cursors[-1], page.has_next
    assert walked == ids


async def test_each_of_many_lists_has_its_own_page(runtime: Runtime) -> None:
    long, long_ids = await create_user_with_sessions(runtime, 5)
    short, short_ids = await create_user_with_sessions(runtime, 1)
    empty, _ = await create_user_with_sessions(runtime, 0)
    found = await read_page(runtime, [long, short, empty], 2)
    assert {key: [row.id for row in page.rows] for key, page in found.items()} == {
        long: long_ids[:2],
        short: short_ids,
    }
    assert (found[long].has_next, found[short].has_next) == (True, False)


async def test_a_cursor_of_a_missing_row_still_marks_a_position(runtime: Runtime) -> None:
    user_id, ids = await create_user_with_sessions(runtime, 3)
    found = await read_page(runtime, [user_id], 10, "ses_zz")
    assert [row.id for row in found[user_id].rows] == ids
    assert await read_page(runtime, [user_id], 10, "0") == {}


async def test_a_single_list_is_paged_like_one_of_many(runtime: Runtime) -> None:
    user_id, ids = await create_user_with_sessions(runtime, 3)
    await create_user_with_sessions(runtime, 2)
    own = select(Session).where(Session.user_id == user_id)
    async with runtime.database.read() as session:
        newest = await load_page(session, own, Session.id, PageRequest.of(2, None))
        rest = await load_page(session, own, Session.id, PageRequest.of(2, newest.cursors[-1]))
    assert [*newest.cursors, *rest.cursors] == ids
    assert (newest.has_previous, newest.has_next) == (False, True)
    assert (rest.has_previous, rest.has_next) == (True, False)


@pytest.mark.parametrize("first", [-1, 0, 101])
def test_a_page_has_from_one_to_a_hundred_rows(first: int) -> None:
    with pytest.raises(BadUserInput) as refused:
        PageRequest.of(first, None)
    assert refused.value.field == "first"
