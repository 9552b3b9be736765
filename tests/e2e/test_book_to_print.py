"""The main journey from sign-up to the shipped book, through one endpoint."""

import asyncio
from io import BytesIO

from pypdf import PdfReader

from tests.e2e.conftest import Shelf
from tests.e2e.family import Family
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


async def test_a_declined_card_prints_nothing(shelf: Shelf) -> None:
    await shelf.family.approve(shelf.book_id)
    quote = await shelf.family.create_quote(shelf.book_id)
    declined = await shelf.family.pay(quote["id"], "pm_card_chargeDeclinedInsufficientFunds")
    assert declined == {"__typename": "PaymentDeclined", "declineCode": "insufficient_funds"}
    orders = "query ($id: ID!) { book(id: $id) { orders { status printJob { id } } } }"
    found = (await shelf.family.get(orders, id=shelf.book_id))["orders"]
    assert {"status": "PAYMENT_FAILED", "printJob": None} in found
