"""Journeys of a parent through the public endpoint, each with its checks."""

import hashlib
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from tests.e2e.parent_client import REGENERATE, ParentClient, is_in_order

PRINT_FILES = """query ($id: ID!) { snapshot(id: $id) {
  interior { ...file } cover { ...file }
} }
fragment file on PrintFile { url sha256 pageCount bytes widthPoints heightPoints }"""


ORDER = """query ($id: ID!) { order(id: $id) {
  status total { amount currency } paymentAttempts { status }
  book { title } snapshot { id contentHash }
  printJob {
    status providerReference product { podPackageId }
    preflight { passed issues { code page } effectivePpi }
    shipment { carrier trackingId trackingUrl }
    history { status }
  }
} }"""


async def order_printed_book(parent: ParentClient) -> None:
    book_id = await parent.create_book()
    await watch_generation(parent, book_id)
    await edit_page_and_regenerate_picture(parent, book_id)

    snapshot = await parent.approve(book_id)
    assert (snapshot["__typename"], snapshot["pageCount"]) == ("Snapshot", 32)
    quote = await parent.create_quote(book_id)
    assert {part: quote[part]["amount"] for part in ("items", "shipping", "fulfilment", "tax", "total")} == {
        "items": 1716,
        "shipping": 569,
        "fulfilment": 175,
        "tax": 0,
        "total": 2460,
    }
    paid = await parent.pay(quote["id"])
    assert (paid["__typename"], paid["total"]) == ("Order", {"amount": 2460, "currency": "USD"})
    events = await parent.wait_until_shipped(paid["id"])
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["status"] for event in events] == [
        "AWAITING_PAYMENT",
        "PAID",
        "PREPARING",
        "IN_PRODUCTION",
        "SHIPPED",
    ]

    order = await parent.get(ORDER, id=paid["id"])
    assert (order["status"], order["paymentAttempts"]) == ("SHIPPED", [{"status": "SUCCEEDED"}])
    assert order["snapshot"] == {"id": snapshot["id"], "contentHash": snapshot["contentHash"]}
    job = order["printJob"]
    assert job["product"]["podPackageId"] == "0850X0850.FC.PRE.CW.080CW444.MXX"
    assert (job["preflight"]["passed"], job["preflight"]["issues"]) == (True, [])
    assert job["preflight"]["effectivePpi"] >= 200
    assert job["shipment"]["trackingUrl"].endswith(job["shipment"]["trackingId"])
    assert [step["status"] for step in job["history"]][:4] == [
        "CREATED",
        "PREFLIGHT",
        "SUBMITTING",
        "SUBMITTED",
    ]
    assert job["history"][-1]["status"] == job["status"] == "SHIPPED"
    await check_print_files(parent, snapshot["id"])


async def watch_generation(parent: ParentClient, book_id: str) -> None:
    generation_id = await parent.generate(book_id)
    events = await parent.watch_to_the_end(generation_id)
    assert is_in_order(events)
    assert events[-1]["__typename"] == "GenerationCompleted"
    book = await parent.read(book_id)
    assert events[-1]["book"] == {"title": book["title"]}

    told: dict[int, str] = {}
    for event in events:
        if event["__typename"] == "TextDelta" and event["writing"]:
            number = event["writing"]["number"]
            told[number] = told.get(number, "") + event["text"]
    written = {
        event["written"]["number"]: event["written"]["text"]
        for event in events
        if event["__typename"] == "PageWritten"
    }
    assert sorted(written) == list(range(4, 32, 2))
    assert {number: text.strip() for number, text in told.items()} == written
    drawn = [event["drawnFor"] for event in events if event["__typename"] == "IllustrationReady"]
    assert sorted(page["number"] for page in drawn if page) == list(range(5, 32, 2))
    assert drawn.count(None) == 1

    assert "Mia" in " ".join(written.values())
    assert all(page["text"] for page in book["pages"] if page["layout"] == "TEXT")
    assert all(page["illustration"] for page in book["pages"] if page["layout"] == "FULL_BLEED")
    assert await parent.watch_to_the_end(generation_id) == events
    half = len(events) // 2
    assert await parent.watch_to_the_end(generation_id, after=events[half]["sequence"]) == events[half + 1 :]


async def edit_page_and_regenerate_picture(parent: ParentClient, book_id: str) -> None:
    pages = (await parent.read(book_id))["pages"]
    edited = await parent.edit(pages[3], text="Mia put on her boots.")
    assert (edited["__typename"], edited["version"]) == ("Page", pages[3]["version"] + 1)
    assert edited["text"] == "Mia put on her boots."

    generation = await parent.get(REGENERATE, pageId=pages[4]["id"])
    assert (generation["__typename"], generation["kind"]) == ("Generation", "PAGE")
    events = await parent.watch_to_the_end(generation["id"])
    assert events[-1]["__typename"] == "GenerationCompleted"
    after = (await parent.read(book_id))["pages"]
    assert after[4]["version"] == pages[4]["version"] + 1
    assert after[4]["illustration"]["sha256"] != pages[4]["illustration"]["sha256"]
    assert after[3]["text"] == "Mia put on her boots."
    unchanged = [page["version"] for page in pages[5:]]
    assert [page["version"] for page in after[5:]] == unchanged


async def check_print_files(parent: ParentClient, snapshot_id: str) -> None:
    files = await parent.get(PRINT_FILES, id=snapshot_id)
    for part, pages, width, height in (("interior", 32, 630, 630), ("cover", 1, 1368, 738)):
        reader = PdfReader(BytesIO(await download(parent, files[part])))
        assert len(reader.pages) == files[part]["pageCount"] == pages
        boxes = {(round(page.mediabox.width), round(page.mediabox.height)) for page in reader.pages}
        assert boxes == {(width, height)}
        assert (round(files[part]["widthPoints"]), round(files[part]["heightPoints"])) == (width, height)
    text = PdfReader(BytesIO(await download(parent, files["interior"]))).pages[3].extract_text()
    assert "Mia put on her boots." in " ".join(text.split())


async def download(parent: ParentClient, file: dict[str, Any]) -> bytes:
    response = await parent.http.get(file["url"])
    assert (response.status_code, response.headers["content-type"]) == (200, "application/pdf")
    assert len(response.content) == file["bytes"]
    assert hashlib.sha256(response.content).hexdigest() == file["sha256"]
    return bytes(response.content)


EVERYTHING = """query {
  me {
    id displayName email
    consents { purpose revokedAt }
    children { name }
    books(first: 1) { nodes {
      id title status child { name }
      generation { kind status stepsDone stepsTotal provider book { title } }
      page(number: 4) { number text }
      orders {
        id number status total { amount currency }
        book { title }
        product { name }
        printJob { status order { number status } product { name } shipment { carrier } }
      }
    } }
    orders(first: 1) { nodes { number printJob { preflight { passed } } } }
  }
  bookFormats { id printProducts { id } }
}"""


async def check_everything_query(parent: ParentClient, book_id: str) -> None:
    await parent.approve(book_id)
    paid = await parent.pay((await parent.create_quote(book_id))["id"])
    await parent.wait_until_shipped(paid["id"])
    book = await parent.read(book_id)

    answer = (await parent.execute(EVERYTHING)).ok
    assert answer["bookFormats"] == [
        {"id": "square-8.5", "printProducts": [{"id": "casewrap-8.5-square"}]},
        {"id": "square-7.5", "printProducts": [{"id": "casewrap-7.5-square"}]},
    ]
    me = answer["me"]
    assert (me["id"], me["displayName"], me["email"]) == (parent.user_id, "Ada", parent.email)
    assert sorted(consent["purpose"] for consent in me["consents"]) == ["AI_PROCESSING", "CHILD_PROFILE"]
    assert me["children"] == [{"name": "Mia"}]
    [found] = me["books"]["nodes"]
    title = {"title": book["title"]}
    assert (found["id"], found["title"], found["status"]) == (book_id, book["title"], "APPROVED")
    assert found["child"] == {"name": "Mia"}
    assert found["page"] == {"number": 4, "text": book["pages"][3]["text"]}
    generation = found["generation"]
    assert generation["stepsDone"] == generation["stepsTotal"] > 28
    assert (generation["status"], generation["provider"], generation["book"]) == (
        "COMPLETED",
        "offline",
        title,
    )

    order = next(order for order in found["orders"] if order["id"] == paid["id"])
    assert (order["status"], order["total"]) == ("SHIPPED", {"amount": 2460, "currency": "USD"})
    assert order["book"] == title
    assert order["product"] == {"name": "Square hardcover picture book"}
    assert order["printJob"] == {
        "status": "SHIPPED",
        "order": {"number": paid["number"], "status": "SHIPPED"},
        "product": {"name": "Square hardcover picture book"},
        "shipment": {"carrier": "Offline Parcel"},
    }
    newest = {"number": paid["number"], "printJob": {"preflight": {"passed": True}}}
    assert me["orders"]["nodes"] == [newest]
