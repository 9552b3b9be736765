"""Building a domain's federated schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import strawberry

FEDERATION_VERSION: Final = "2.9"


def create_schema(
    query: type, mutation: type | None = None, subscription: type | None = None, types: Iterable[type] = ()
) -> strawberry.federation.Schema:
    """A subgraph's schema, in the order of its definitions.

    Strawberry's `sort_schema` is no use: it replaces the types that unions are resolved by.
    """
    return strawberry.federation.Schema(
        query=query,
        mutation=mutation,
        subscription=subscription,
        types=types,
        federation_version=FEDERATION_VERSION,
    )
