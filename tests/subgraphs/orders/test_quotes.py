"""Quotes: exact sums, validation, and only for approved books."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from subgraphs.orders.models import Quote
from tests.subgraphs.orders.conftest import ADDRESS, CREATE_QUOTE, build_quote_input, quote
from tests.support.graph import FakeGraph, GraphError
from tests.support.subgraph import SubgraphClient
from tests.support.tokens import sign_token


async def count_quotes(orders: SubgraphClient) -> int:
    async with orders.runtime.database.read() as session:
        return (await session.execute(select(func.count()).select_from(Quote))).scalar_one()


async def test_a_quote_is_the_exact_sum_of_its_parts(orders: SubgraphClient, token: str) -> None:
    answer = await orders.execute(CREATE_QUOTE, build_quote_input(quantity=3), token)
    quoted = answer.ok["createQuote"]
    assert quoted.pop("id").startswith("quo_")
    assert quoted == {
        "__typename": "Quote",
        "quantity": 3,
        "shippingLevel": "MAIL",
        "shippingAddress": {"name": "Ana Müller", "line2": None, "region": None, "countryCode": "DE"},
        "snapshot": {"id": "snp_1"},
        "product": {"id": "casewrap-8.5-square"},
        "items": {"amount": 3900, "currency": "USD"},
        "shipping": {"amount": 1099},
        "fulfilment": {"amount": 175},
        "tax": {"amount": 26},
        "total": {"amount": 5200, "currency": "USD"},
    }


async def test_the_graph_is_queried_as_the_parent(
    orders: SubgraphClient, graph: FakeGraph, token: str
) -> None:
    await quote(orders, token, quantity=2, shippingLevel="EXPRESS")
    assert [request["headers"]["authorization"] for request in graph.requests] == [f"Bearer {token}"] * 2
    assert graph.requests[1]["variables"] == {
        "productId": "casewrap-8.5-square",
        "pageCount": 32,
        "quantity": 2,
        "countryCode": "DE",
        "shippingLevel": "EXPRESS",
    }


async def test_a_book_that_is_not_approved_is_not_quoted(orders: SubgraphClient, token: str) -> None:
    before = await count_quotes(orders)
    answer = await orders.execute(CREATE_QUOTE, build_quote_input(bookId="book_draft"), token)
    assert answer.ok["createQuote"] == {
        "__typename": "BookNotApproved",
        "message": "Approve the book first: what is printed is what was approved.",
    }
    assert await count_quotes(orders) == before


@pytest.mark.parametrize(
    "changes",
    [{"productId": "casewrap-7.5-square"}, {"bookId": "book_short"}, {"bookId": "book_long"}],
    ids=["format", "too few pages", "too many pages"],
)
async def test_a_book_is_not_quoted_as_a_product_that_it_does_not_fit(
    orders: SubgraphClient, token: str, changes: dict[str, str]
) -> None:
    before = await count_quotes(orders)
    answer = await orders.execute(CREATE_QUOTE, build_quote_input(**changes), token)
    assert answer.ok["createQuote"] == {
        "__typename": "ProductDoesNotFit",
        "message": "The book cannot be printed as this product: its format or page count does not fit.",
    }
    assert await count_quotes(orders) == before


async def test_an_unknown_product_is_not_found(orders: SubgraphClient, token: str) -> None:
    answer = await orders.execute(CREATE_QUOTE, build_quote_input(productId="scroll"), token)
    assert answer.code == "NOT_FOUND"


async def test_someone_elses_book_is_not_found(orders: SubgraphClient, token: str) -> None:
    answer = await orders.execute(CREATE_QUOTE, build_quote_input(bookId="book_other"), token)
    assert answer.code == "NOT_FOUND"


async def test_an_error_of_print_is_reported_to_the_client(orders: SubgraphClient, token: str) -> None:
    answer = await orders.execute(
        CREATE_QUOTE, build_quote_input(shippingAddress=ADDRESS | {"countryCode": "AQ"}), token
    )
    assert answer.code == "BAD_USER_INPUT"
    assert answer.errors[0]["message"] == "Nothing is sent there."


async def test_a_failing_graph_is_a_failed_dependency(
    orders: SubgraphClient, graph: FakeGraph, token: str
) -> None:
    graph.answers["book"] = GraphError("INTERNAL_SERVER_ERROR")
    assert (await orders.execute(CREATE_QUOTE, build_quote_input(), token)).code == "DEPENDENCY_FAILED"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -3}, "quantity"),
        ({"quantity": 101}, "quantity"),
        ({"shippingAddress": ADDRESS | {"name": " "}}, "shippingAddress.name"),
        ({"shippingAddress": ADDRESS | {"name": "x" * 5000}}, "shippingAddress.name"),
        ({"shippingAddress": ADDRESS | {"line1": ""}}, "shippingAddress.line1"),
        ({"shippingAddress": ADDRESS | {"line2": "x" * 101}}, "shippingAddress.line2"),
        ({"shippingAddress": ADDRESS | {"city": "Ber\x00lin"}}, "shippingAddress.city"),
        ({"shippingAddress": ADDRESS | {"countryCode": "Germany"}}, "shippingAddress.countryCode"),
        ({"shippingAddress": ADDRESS | {"countryCode": "ZZ"}}, "shippingAddress.countryCode"),
        ({"shippingAddress": ADDRESS | {"countryCode": "😀😀"}}, "shippingAddress.countryCode"),
        ({"shippingAddress": ADDRESS | {"phone": "call me"}}, "shippingAddress.phone"),
        ({"shippingAddress": ADDRESS | {"phone": "-----"}}, "shippingAddress.phone"),
        ({"shippingAddress": ADDRESS | {"phone": "12345 <b>"}}, "shippingAddress.phone"),
        ({"shippingAddress": ADDRESS | {"phone": "1" * 5000}}, "shippingAddress.phone"),
    ],
)
async def test_an_invalid_delivery_address_is_refused_with_the_field(
    orders: SubgraphClient, token: str, changes: dict[str, Any], field: str
) -> None:
    before = await count_quotes(orders)
    answer = await orders.execute(CREATE_QUOTE, build_quote_input(**changes), token)
    assert (answer.data, answer.code, answer.field) == (None, "BAD_USER_INPUT", field)
    assert await count_quotes(orders) == before


@pytest.mark.parametrize("name", ["Ana 👩🏽‍🚀", "<b>Ana</b> & Söhne"])
async def test_a_name_with_emoji_or_markup_is_stored_unchanged(
    orders: SubgraphClient, token: str, name: str
) -> None:
    answer = await orders.execute(
        CREATE_QUOTE, build_quote_input(shippingAddress=ADDRESS | {"name": name}), token
    )
    assert answer.ok["createQuote"]["shippingAddress"]["name"] == name


async def test_someone_elses_quote_is_not_found(orders: SubgraphClient, token: str) -> None:
    id_ = await quote(orders, token)
    query = f'{{ quote(id: "{id_}") {{ id }} }}'
    assert (await orders.execute(query, token=token)).ok == {"quote": {"id": id_}}
    assert (await orders.execute(query, token=sign_token("usr_other"))).code == "NOT_FOUND"
    assert (await orders.execute(query)).code == "UNAUTHENTICATED"


async def test_a_quote_requires_the_scope_of_a_parent(orders: SubgraphClient, user_id: str) -> None:
    answer = await orders.execute(CREATE_QUOTE, build_quote_input(), sign_token(user_id, ["staff"]))
    assert answer.code == "FORBIDDEN"
