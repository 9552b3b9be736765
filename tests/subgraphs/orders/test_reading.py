"""Reading the caller's own orders by id, by user and by book."""

from __future__ import annotations

from typing import Any

import pytest

from subgraphs.orders.service import get_fulfilment_order
from tests.subgraphs.orders.conftest import create_paid_order
from tests.support.subgraph import SubgraphClient
from tests.support.tokens import sign_token

OF_USER = """... on User {
  orders(first: 2) { nodes { id } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } }
}"""
WIDE = """... on User {
  orders { nodes { id book { id } paymentAttempts { id refunds { status } } history { status } } }
}"""


async def test_someone_elses_order_is_not_found(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    query = f'{{ order(id: "{order_id}") {{ id book {{ id }} snapshot {{ id }} product {{ id }} }} }}'
    assert (await orders.execute(query, token=token)).ok == {
        "order": {
            "id": order_id,
            "book": {"id": "book_approved"},
            "snapshot": {"id": "snp_1"},
            "product": {"id": "casewrap-8.5-square"},
        }
    }
    assert (await orders.execute(query, token=sign_token("usr_other"))).code == "NOT_FOUND"
    assert (await orders.execute(query)).code == "UNAUTHENTICATED"


async def test_the_orders_of_a_user_are_paged_newest_first(
    orders: SubgraphClient, token: str, user_id: str
) -> None:
    ids = [await create_paid_order(orders, token) for _ in range(3)]
    reference = [{"__typename": "User", "id": user_id}]
    [user] = await orders.resolve_entities(OF_USER, reference, token)
    assert user["orders"] == {
        "nodes": [{"id": ids[2]}, {"id": ids[1]}],
        "edges": [{"cursor": ids[2]}, {"cursor": ids[1]}],
        "pageInfo": {"hasNextPage": True, "hasPreviousPage": False, "endCursor": ids[1]},
    }
    rest = f'... on User {{ orders(first: 2, after: "{ids[1]}") {{ nodes {{ id }} }} }}'
    assert await orders.resolve_entities(rest, reference, token) == [{"orders": {"nodes": [{"id": ids[0]}]}}]


async def test_only_callers_see_their_orders(orders: SubgraphClient, token: str, user_id: str) -> None:
    await create_paid_order(orders, token)
    reference = [{"__typename": "User", "id": user_id}]
    assert await orders.resolve_entities(OF_USER, reference, sign_token("usr_other")) == [None]
    assert await orders.resolve_entities(OF_USER, reference) == [None]


async def test_the_orders_of_a_book_are_those_of_the_caller(orders: SubgraphClient, token: str) -> None:
    order_id = await create_paid_order(orders, token)
    selection = "... on Book { orders { id } }"
    references = [{"__typename": "Book", "id": id_} for id_ in ("book_approved", "book_none")]
    assert await orders.resolve_entities(selection, references, token) == [
        {"orders": [{"id": order_id}]},
        {"orders": []},
    ]
    stranger = sign_token("usr_without_orders")
    assert await orders.resolve_entities(selection, references, stranger) == [{"orders": []}, {"orders": []}]


@pytest.mark.parametrize("kind", ["Order", "PaymentAttempt"])
async def test_references_resolve_only_for_the_owner(orders: SubgraphClient, token: str, kind: str) -> None:
    order_id = await create_paid_order(orders, token)
    query = f'{{ order(id: "{order_id}") {{ id paymentAttempts {{ id }} }} }}'
    order = (await orders.execute(query, token=token)).ok["order"]
    id_ = order["id"] if kind == "Order" else order["paymentAttempts"][0]["id"]
    reference = [{"__typename": kind, "id": id_}]
    selection = f"... on {kind} {{ id }}"
    assert await orders.resolve_entities(selection, reference, token) == [{"id": id_}]
    assert await orders.resolve_entities(selection, reference, sign_token("usr_other")) == [None]


async def test_statements_do_not_grow_with_the_orders(
    orders: SubgraphClient, token: str, user_id: str
) -> None:
    async def count_statements_of_a_read() -> tuple[int, int]:
        before = await orders.count_statements()
        [user] = await orders.resolve_entities(WIDE, [{"__typename": "User", "id": user_id}], token)
        return len(user["orders"]["nodes"]), await orders.count_statements() - before

    await create_paid_order(orders, token)
    assert await count_statements_of_a_read() == (1, 4)
    for _ in range(6):
        await create_paid_order(orders, token)
    assert await count_statements_of_a_read() == (7, 4)


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_has_from_one_to_a_hundred_orders(
    orders: SubgraphClient, token: str, user_id: str, first: int
) -> None:
    query = (
        "query ($r: [_Any!]!, $first: Int!) "
        "{ _entities(representations: $r) { ... on User { orders(first: $first) { nodes { id } } } } }"
    )
    variables: dict[str, Any] = {"r": [{"__typename": "User", "id": user_id}], "first": first}
    answer = await orders.execute(query, variables, token)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "first")


async def test_a_fulfilment_has_all_that_printing_and_shipping_need(
    orders: SubgraphClient, token: str, user_id: str
) -> None:
    order_id = await create_paid_order(orders, token)
    order = await get_fulfilment_order(orders.runtime, order_id)
    assert (order.order_id, order.owner_id, order.snapshot_id) == (order_id, user_id, "snp_1")
    assert (order.product_id, order.quantity, order.shipping_level) == ("casewrap-8.5-square", 1, "MAIL")
    assert (order.address.name, order.address.country_code, order.address.line2) == ("Ana Müller", "DE", None)
