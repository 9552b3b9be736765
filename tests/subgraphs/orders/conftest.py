"""The running orders subgraph and a fake graph with one approved book and its price."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from subgraphs.common.runtime import Runtime, open_runtime
from subgraphs.domains import DOMAINS
from subgraphs.orders.models import Quote
from tests.support.graph import FakeGraph, GraphError, serve_graph
from tests.support.subgraph import Answer, SubgraphClient, build_settings, run_subgraph
from tests.support.tokens import sign_token

ADDRESS = {
    "name": "Ana Müller",
    "line1": "Lindenweg 4",
    "city": "Berlin",
    "postalCode": "10115",
    "countryCode": "de",
    "phone": "+49 30 1234567",
}
CREATE_QUOTE = """
mutation ($input: CreateQuoteInput!) {
  createQuote(input: $input) {
    __typename
    ... on Quote {
      id quantity shippingLevel shippingAddress { name line2 region countryCode }
      snapshot { id } product { id }
      items { amount currency } shipping { amount } fulfilment { amount } tax { amount }
      total { amount currency }
    }
    ... on BookNotApproved { message }
    ... on ProductDoesNotFit { message }
  }
}
"""
OUTCOME = """
    __typename
    ... on Order { id number status total { amount } paymentAttempts { status provider } history { status } }
    ... on PaymentDeclined { message declineCode order { id status } }
    ... on PaymentActionRequired {
      action { clientSecret redirectUrl } attempt { id number status } order { id status }
    }
    ... on PaymentPending { attempt { id number status } order { id status } }
"""
CHECKOUT = f"""
mutation ($quote: ID!, $method: String!, $key: String!) {{
  checkout(input: {{quoteId: $quote, paymentMethod: $method, attemptKey: $key}}) {{
    {OUTCOME}
    ... on QuoteExpired {{ message }}
  }}
}}
"""
COMPLETE_PAYMENT = f"mutation ($id: ID!) {{ completePayment(attemptId: $id) {{ {OUTCOME} }} }}"


PRODUCT_FORMATS = {"casewrap-8.5-square": "square-8.5", "casewrap-7.5-square": "square-7.5"}


def build_book(page_count: int) -> dict[str, Any]:
    return {"snapshot": {"id": "snp_1", "pageCount": page_count, "format": {"id": "square-8.5"}}}


def print_product(arguments: dict[str, Any]) -> dict[str, Any]:
    if arguments["id"] not in PRODUCT_FORMATS:
        raise GraphError("NOT_FOUND", f"PrintProduct '{arguments['id']}' was not found.")
    format_id = PRODUCT_FORMATS[arguments["id"]]
    return {"format": {"id": format_id}, "minimumPages": 24, "maximumPages": 800, "cost": cost}


def book(arguments: dict[str, Any]) -> Any:
    match arguments["id"]:
        case "book_approved":
            return build_book(page_count=32)
        case "book_short":
            return build_book(page_count=22)
        case "book_long":
            return build_book(page_count=802)
        case "book_draft":
            return {"snapshot": None}
        case _:
            raise GraphError("NOT_FOUND", f"Book '{arguments['id']}' was not found.")


def cost(arguments: dict[str, Any]) -> dict[str, Any]:
    if arguments["countryCode"] == "AQ":
        raise GraphError("BAD_USER_INPUT", "Nothing is sent there.")
    amounts = {"items": 1300 * arguments["quantity"], "shipping": 1099, "fulfilment": 175, "tax": 26}
    return {part: {"amount": amount, "currency": "USD"} for part, amount in amounts.items()}


@pytest.fixture
async def graph() -> AsyncIterator[FakeGraph]:
    async with serve_graph({"book": book, "printProduct": print_product}) as graph:
        yield graph


@pytest.fixture
async def orders(servers: Mapping[str, str], graph: FakeGraph) -> AsyncIterator[SubgraphClient]:
    async with run_subgraph("orders", {**servers, "GRAPH_URL": graph.url}) as client:
        yield client


@pytest.fixture
async def runtime(servers: Mapping[str, str]) -> AsyncIterator[Runtime]:
    async with open_runtime(DOMAINS["orders"], build_settings("orders", servers)) as opened:
        yield opened


@pytest.fixture
def user_id() -> str:
    return f"usr_{uuid4().hex}"


@pytest.fixture
def token(user_id: str) -> str:
    return sign_token(user_id)


def build_quote_input(**changes: Any) -> dict[str, Any]:
    return {
        "input": {
            "bookId": "book_approved",
            "productId": "casewrap-8.5-square",
            "shippingAddress": ADDRESS,
            **changes,
        }
    }


async def quote(orders: SubgraphClient, token: str, **changes: Any) -> str:
    answer = await orders.execute(CREATE_QUOTE, build_quote_input(**changes), token)
    return str(answer.ok["createQuote"]["id"])


async def checkout(
    orders: SubgraphClient, token: str, quote_id: str, method: str = "pm_card_visa", key: str = "first"
) -> Answer:
    return await orders.execute(CHECKOUT, {"quote": quote_id, "method": method, "key": key}, token)


async def complete_payment(orders: SubgraphClient, token: str, attempt_id: str) -> Answer:
    return await orders.execute(COMPLETE_PAYMENT, {"id": attempt_id}, token)


async def end_quote(orders: SubgraphClient, quote_id: str) -> None:
    """Let a quote expire."""
    async with orders.runtime.unit_of_work() as uow:
        expired = uow.now - timedelta(seconds=1)
        await uow.session.execute(update(Quote).where(Quote.id == quote_id).values(expires_at=expired))


async def create_paid_order(orders: SubgraphClient, token: str) -> str:
    answer = await checkout(orders, token, await quote(orders, token))
    order = answer.ok["checkout"]
    assert order["status"] == "PAID"
    return str(order["id"])
