"""One query over all five subgraphs, from the parent to the shipment."""

from tests.e2e.conftest import Shelf
from tests.e2e.family import Family
from tests.e2e.journeys import EVERYTHING, check_everything_query


async def test_one_query_joins_all_five(shelf: Shelf) -> None:
    await check_everything_query(shelf.family, shelf.book_id)


async def test_the_query_gives_another_parent_no_data(shelf: Shelf, stranger: Family) -> None:
    answer = await stranger.ask(EVERYTHING)
    me = answer.ok["me"]
    assert (me["id"], me["children"], me["books"]["nodes"], me["orders"]["nodes"]) == (
        stranger.user_id,
        [],
        [],
        [],
    )
    assert shelf.family.user_id not in str(answer.data)
