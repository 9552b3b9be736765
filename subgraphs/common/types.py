"""GraphQL types that every subgraph shares."""

from __future__ import annotations

from typing import Annotated, Generic, Self, TypeVar

import strawberry
from strawberry.federation.schema_directives import ListSize

from subgraphs.common import consent, money
from subgraphs.common.pagination import Page
from subgraphs.common.postal import ShippingLevel
from subgraphs.common.validation import require_in_range

Node = TypeVar("Node")

strawberry.enum(ShippingLevel, description="How fast a parcel is delivered.")


@strawberry.federation.type(shareable=True, description="An exact amount of money.")
class Money:
    """An amount of money."""

    amount: int = strawberry.field(description="In minor units of the currency: cents, pence, yen.")
    currency: str = strawberry.field(description="ISO 4217, three capital letters.")

    @classmethod
    def of(cls, value: money.Money) -> Self:
        """Convert an amount."""
        return cls(amount=value.amount, currency=value.currency)


@strawberry.federation.type(shareable=True, description="A consent must be recorded first.")
class ConsentRequired:
    """A result of mutations that need a consent."""

    purpose: str
    message: str

    @classmethod
    def of(cls, error: consent.ConsentRequired) -> Self:
        """Convert the error."""
        return cls(purpose=error.purpose, message=str(error))


@strawberry.federation.type(shareable=True, description="Where a page of a connection begins and ends.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="One node of a connection.")
class Edge(Generic[Node]):
    """Relay's Edge."""

    cursor: str
    node: Node


@strawberry.type(description="A page of a list, newest first.")
class Connection(Generic[Node]):
    """Relay's Connection, with the nodes as a list too."""

    edges: list[Edge[Node]]
    nodes: list[Node]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[object], nodes: list[Node]) -> Self:
        """Build a connection from a page of rows and their nodes, which have the same order."""
        edges = [Edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)]
        return cls(
            edges=edges,
            nodes=nodes,
            page_info=PageInfo(
                has_next_page=page.has_next,
                has_previous_page=page.has_previous,
                start_cursor=page.cursors[0] if page.cursors else None,
                end_cursor=page.cursors[-1] if page.cursors else None,
            ),
        )


PAGED = ListSize(  # type: ignore[call-arg]  # the other arguments have defaults that mypy does not see
    slicing_arguments=["first"], sized_fields=["edges", "nodes"], require_one_slicing_argument=False
)
"""The list size of a connection: `first` nodes."""


def sized(items: int) -> ListSize:
    """Create the @listSize of a list that seldom has more items."""
    return ListSize(assumed_size=items)  # type: ignore[call-arg]  # as above


First = Annotated[int, strawberry.argument(description="How many, from 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="The cursor after which to begin.")]
Cursor = Annotated[
    int, strawberry.argument(description="The number of the last event seen; 0 starts at the beginning.")
]
_MAX_CURSOR = 2**31 - 1


def check_cursor(after: int) -> int:
    """Return the cursor of a subscription; BadUserInput when no event has such a number."""
    return require_in_range("after", after, 0, _MAX_CURSOR)
