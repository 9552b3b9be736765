"""Building a domain's federated schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import strawberry
from strawberry.schema.config import StrawberryConfig

FEDERATION_VERSION: Final = "2.9"


def create_schema(
    query: type, mutation: type | None = None, subscription: type | None = None, types: Iterable[type] = ()
) -> strawberry.federation.Schema:
    """A subgraph's schema, sorted, so that its SDL depends on nothing but its content."""
    return strawberry.federation.Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=types,
        config=StrawberryConfig(sort_schema=True),
        federation_version=FEDERATION_VERSION,
    )
