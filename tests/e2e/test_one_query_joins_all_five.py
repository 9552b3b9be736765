"""One query over all five subgraphs, from the parent to the shipment."""

from tests.e2e.conftest import FinishedBook
from tests.e2e.journeys import EVERYTHING, check_everything_query
from tests.e2e.parent_client import ParentClient


async def test_one_query_joins_all_five(finished_book: FinishedBook) -> None:
    await check_everything_query(finished_book.parent, finished_book.book_id)


async def test_the_query_gives_another_parent_no_data(
    finished_book: FinishedBook, stranger: ParentClient
) -> None:
    answer = await stranger.execute(EVERYTHING)
    me = answer.ok["me"]
    assert (me["id"], me["children"], me["books"]["nodes"], me["orders"]["nodes"]) == (
        stranger.user_id,
        [],
        [],
        [],
    )
    assert finished_book.parent.user_id not in str(answer.data)
