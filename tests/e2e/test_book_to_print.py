"""The main journey from sign-up to the shipped book, through one endpoint."""

import asyncio
from io import BytesIO

from pypdf import PdfReader

from tests.e2e.conftest import FinishedBook
from tests.e2e.journeys import (
    ORDER,
    PRINT_FILES,
    download,
    order_printed_book,
)
from tests.e2e.parent_client import COMPLETE_PAYMENT, ParentClient


async def test_a_book_goes_from_the_wish_to_the_shipped_copy(parent: ParentClient) -> None:
    await order_printed_book(parent)


async def test_the_approved_content_is_printed(finished_book: FinishedBook) -> None:
    """An edit after the payment changes the book but not the printed copy."""
    parent, book_id = finished_book.parent, finished_book.book_id
    snapshot = await parent.approve(book_id)
    order = await parent.pay((await parent.create_quote(book_id))["id"])
    page = (await parent.read(book_id))["pages"][3]
    await parent.edit(page, text="Something else altogether.")
    assert (await parent.wait_until_shipped(order["id"]))[-1]["status"] == "SHIPPED"
    printed = await parent.get(ORDER, id=order["id"])
    assert printed["snapshot"]["contentHash"] == snapshot["contentHash"]
    files = await parent.get(PRINT_FILES, id=snapshot["id"])
    text = PdfReader(BytesIO(await download(parent, files["interior"]))).pages[3].extract_text()
    assert " ".join(text.split()).startswith(page["text"].split()[0])
    assert "Something else altogether." not in text


async def test_paying_twice_for_one_quote_creates_one_order(finished_book: FinishedBook) -> None:
    await finished_book.parent.approve(finished_book.book_id)
    quote = await finished_book.parent.create_quote(finished_book.book_id)
    orders = await asyncio.gather(*(finished_book.parent.pay(quote["id"]) for _ in range(3)))
    assert len({order["id"] for order in orders}) == 1
    assert (await finished_book.parent.wait_until_shipped(orders[0]["id"]))[-1]["status"] == "SHIPPED"


async def test_after_a_declined_card_another_one_pays_for_the_same_quote(finished_book: FinishedBook) -> None:
    parent = finished_book.parent
    await parent.approve(finished_book.book_id)
    quote = await parent.create_quote(finished_book.book_id)
    declined = await parent.pay(quote["id"], "pm_card_chargeDeclinedInsufficientFunds")
    assert declined == {"__typename": "PaymentDeclined", "declineCode": "insufficient_funds"}
    orders = "query ($id: ID!) { book(id: $id) { orders { status printJob { id } } } }"
    found = (await parent.get(orders, id=finished_book.book_id))["orders"]
    assert {"status": "AWAITING_PAYMENT", "printJob": None} in found
    required = await parent.pay(quote["id"], "pm_card_authenticationRequired", "second")
    assert required["action"]["clientSecret"]
    completed = await parent.get(COMPLETE_PAYMENT, id=required["attempt"]["id"])
    assert (completed["__typename"], completed["status"]) == ("Order", "PAID")
    assert (await parent.wait_until_shipped(completed["id"]))[-1]["status"] == "SHIPPED"


async def test_a_pending_payment_is_settled_by_a_worker(finished_book: FinishedBook) -> None:
    await finished_book.parent.approve(finished_book.book_id)
    quote = await finished_book.parent.create_quote(finished_book.book_id)
    pending = await finished_book.parent.pay(quote["id"], "pm_usBankAccount_success")
    assert (pending["__typename"], pending["order"]["status"]) == ("PaymentPending", "AWAITING_PAYMENT")
    events = await finished_book.parent.wait_until_shipped(pending["order"]["id"])
    assert [event["status"] for event in events][:3] == ["AWAITING_PAYMENT", "AWAITING_PAYMENT", "PAID"]
    assert events[-1]["status"] == "SHIPPED"
