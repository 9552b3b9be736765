"""The main journey from sign-up to the shipped book, through one endpoint."""

import asyncio
from io import BytesIO

from pypdf import PdfReader

from tests.e2e.conftest import Shelf
from tests.e2e.family import COMPLETE_PAYMENT, Family
from tests.e2e.journeys import (
    ORDER,
    PRINT_FILES,
    download,
    order_printed_book,
)


async def test_a_book_goes_from_the_wish_to_the_shipped_copy(family: Family) -> None:
    await order_printed_book(family)


async def test_the_approved_content_is_printed(shelf: Shelf) -> None:
    """An edit after the payment changes the book but not the printed copy."""
    family, book_id = shelf.family, shelf.book_id
    snapshot = await family.approve(book_id)
    order = await family.pay((await family.create_quote(book_id))["id"])
    page = (await family.read(book_id))["pages"][3]
    await family.edit(page, text="Something else altogether.")
    assert (await family.wait_until_shipped(order["id"]))[-1]["status"] == "SHIPPED"
    printed = await family.get(ORDER, id=order["id"])
    assert printed["snapshot"]["contentHash"] == snapshot["contentHash"]
    files = await family.get(PRINT_FILES, id=snapshot["id"])
    text = PdfReader(BytesIO(await download(family, files["interior"]))).pages[3].extract_text()
    assert " ".join(text.split()).startswith(page["text"].split()[0])
    assert "Something else altogether." not in text


async def test_paying_twice_for_one_quote_creates_one_order(shelf: Shelf) -> None:
    await shelf.family.approve(shelf.book_id)
    quote = await shelf.family.create_quote(shelf.book_id)
    orders = await asyncio.gather(*(shelf.family.pay(quote["id"]) for _ in range(3)))
    assert len({order["id"] for order in orders}) == 1
    assert (await shelf.family.wait_until_shipped(orders[0]["id"]))[-1]["status"] == "SHIPPED"


async def test_after_a_declined_card_another_one_pays_for_the_same_quote(shelf: Shelf) -> None:
    family = shelf.family
    await family.approve(shelf.book_id)
    quote = await family.create_quote(shelf.book_id)
    declined = await family.pay(quote["id"], "pm_card_chargeDeclinedInsufficientFunds")
    assert declined == {"__typename": "PaymentDeclined", "declineCode": "insufficient_funds"}
    orders = "query ($id: ID!) { book(id: $id) { orders { status printJob { id } } } }"
    found = (await family.get(orders, id=shelf.book_id))["orders"]
    assert {"status": "AWAITING_PAYMENT", "printJob": None} in found
    required = await family.pay(quote["id"], "pm_card_authenticationRequired", "second")
    assert required["action"]["clientSecret"]
    completed = await family.get(COMPLETE_PAYMENT, id=required["attempt"]["id"])
    assert (completed["__typename"], completed["status"]) == ("Order", "PAID")
    assert (await family.wait_until_shipped(completed["id"]))[-1]["status"] == "SHIPPED"


async def test_a_pending_payment_is_settled_by_a_worker(shelf: Shelf) -> None:
    await shelf.family.approve(shelf.book_id)
    quote = await shelf.family.create_quote(shelf.book_id)
    pending = await shelf.family.pay(quote["id"], "pm_usBankAccount_success")
    assert (pending["__typename"], pending["order"]["status"]) == ("PaymentPending", "AWAITING_PAYMENT")
    events = await shelf.family.wait_until_shipped(pending["order"]["id"])
    assert [event["status"] for event in events][:3] == ["AWAITING_PAYMENT", "AWAITING_PAYMENT", "PAID"]
    assert events[-1]["status"] == "SHIPPED"
