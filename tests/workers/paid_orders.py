"""Paid orders for approved books, created through the domains' use cases."""

import hashlib
from functools import cache

from subgraphs.books import service as books
from subgraphs.books.formats import DEFAULT_FORMAT
from subgraphs.books.models import Child, Theme
from subgraphs.books.repository import get_any_book
from subgraphs.common.clock import utc_now
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.money import Money
from subgraphs.common.postal import Address, ShippingLevel
from subgraphs.common.pronouns import Pronouns
from subgraphs.orders import service as orders
from subgraphs.orders.models import Order
from subgraphs.orders.service.quotes import Price, store_quote
from tests.support.pictures import build_png
from workers.platform import Platform

SHARP_SIDE = 2625
COARSE_SIDE = 800

picture_bytes = cache(lambda side: build_png(7, side))


async def create_paid_order(
    platform: Platform,
    *,
    picture_side: int = SHARP_SIDE,
    format_id: str = DEFAULT_FORMAT,
    product_id: str = "casewrap-8.5-square",
) -> tuple[Identity, Order]:
    """Pay for a book with pictures of `picture_side` pixels; return the parent and the order."""
    parent = Identity(new_id("usr"), "ses_1", frozenset({"parent"}), "")
    book_id, snapshot_id = await create_approved_book(platform, parent, picture_side, format_id)
    address = Address("Ada", "1 Byron Row", None, "London", None, "N1 1AA", "GB", "+44 20 7946 0000")
    request = orders.QuoteRequest(book_id, product_id, 1, address, ShippingLevel.MAIL)
    part = Money(500, "USD")
    async with platform.orders.unit_of_work() as uow:
        quote = store_quote(uow, parent, request, Price(snapshot_id, part, part, part, part))
    progress = await orders.checkout(platform.orders, parent, quote.id, "pm_card_visa", "first")
    return parent, progress.order


async def create_approved_book(
    platform: Platform, parent: Identity, picture_side: int, format_id: str
) -> tuple[str, str]:
    """Create and approve a complete book; return the ids of the book and its snapshot."""
    child = Child(
        id=new_id("chd"),
        owner_id=parent.user_id,
        name="Mia",
        birth_month="2020-05",
        pronouns=Pronouns.SHE,
        appearance="red curls",
        interests=["foxes"],
        created_at=utc_now(),
    )
    async with platform.books.unit_of_work() as uow:
        uow.session.add(child)
    brief = books.BriefDetails("A fox with a lantern", Theme.COURAGE, "en", None, format_id)
    book_id = (await books.create_book(platform.books, parent, child.id, brief)).id
    picture = await store_picture(platform, picture_side)
    story = await books.get_story(platform.books, book_id)
    outline = books.BookOutline("Mia and the Fox", "A story", "A fox is lost.", "For Mia", "Good night.")
    await books.apply_outline(platform.books, book_id, outline, "outline")
    for page in story.pages[3:-1]:
        if page.layout == "TEXT":
            text = f"Scene of page {page.number}."
            await books.apply_page_text(platform.books, page.id, text, page.id)
        else:
            target = books.IllustrationTarget(book_id, page.id)
            await books.apply_illustration(platform.books, target, page.id, picture)
    cover = books.IllustrationTarget(book_id, None)
    await books.apply_illustration(platform.books, cover, "cover", picture)
    await books.finish_generation(platform.books, book_id, "finish")
    async with platform.books.database.read() as session:
        version = (await get_any_book(session, book_id)).version
    return book_id, (await books.approve_book(platform.books, parent, book_id, version)).id


async def store_picture(platform: Platform, side: int) -> books.Picture:
    """Store a square picture of `side` pixels."""
    content = picture_bytes(side)
    key = f"illustrations/{new_id('ill')}.png"
    await platform.books.storage.put(key, content)
    return books.Picture(key, hashlib.sha256(content).hexdigest(), side, side, "A fox")
