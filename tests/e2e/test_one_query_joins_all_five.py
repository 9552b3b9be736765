"""One query over all five subgraphs, from a parent to the parcel."""

from tests.e2e.conftest import Shelf
from tests.e2e.family import Family

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
  printProducts { id }
}"""


async def test_one_query_joins_all_five(shelf: Shelf) -> None:
    await read_everything(shelf.family, shelf.book_id)


async def read_everything(family: Family, book_id: str) -> None:
    await family.approve(book_id)
    paid = await family.pay((await family.quote(book_id))["id"])
    await family.until_shipped(paid["id"])
    book = await family.read(book_id)

    answer = (await family.ask(EVERYTHING)).ok
    assert answer["printProducts"] == [{"id": "casewrap-8.5-square"}]
    me = answer["me"]
    assert (me["id"], me["displayName"], me["email"]) == (family.user_id, "Ada", family.email)
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


async def test_somebody_else_sees_nothing_of_it(shelf: Shelf, stranger: Family) -> None:
    answer = await stranger.ask(EVERYTHING)
    me = answer.ok["me"]
    assert (me["id"], me["children"], me["books"]["nodes"], me["orders"]["nodes"]) == (
        stranger.user_id,
        [],
        [],
        [],
    )
    assert shelf.family.user_id not in str(answer.data)
