"""The schema of the orders domain."""

from __future__ import annotations

from subgraphs.common.schema import create_schema
from subgraphs.orders.mutations import Mutation
from subgraphs.orders.queries import Query
from subgraphs.orders.subscriptions import Subscription
from subgraphs.orders.types import Book, Order, PaymentAttempt, Quote, User

schema = create_schema(Query, Mutation, Subscription, types=[Order, Quote, PaymentAttempt, Book, User])
