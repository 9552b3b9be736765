"""The two subgraphs of the test library, as Strawberry applications that record their requests."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL


@dataclass
class SubgraphState:
    """The data of a subgraph, the headers of its requests and the number of its open subscriptions."""

    titles: dict[str, str] = field(default_factory=dict)
    open_streams: int = 0
    requests: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Restores the books and clears the requests."""
        self.titles.clear()
        self.titles.update({"1": "Moon", "2": "Sea"})
        self.requests.clear()

    @asynccontextmanager
    async def count_stream(self) -> AsyncIterator[None]:
        """Counts a subscription as open while the context lasts."""
        self.open_streams += 1
        try:
            yield
        finally:
            self.open_streams -= 1


def _get_state(info: strawberry.Info) -> SubgraphState:
    return cast("SubgraphState", info.context["request"].app.state.subgraph)


def _read_header(info: strawberry.Info, name: str) -> str | None:
    return cast("str | None", info.context["request"].headers.get(name))


@strawberry.federation.type(keys=["id"], name="Book")
class CatalogueBook:
    """A book as the books subgraph knows it."""

    id: strawberry.ID

    @strawberry.field
    def title(self, info: strawberry.Info) -> str | None:
        return _get_state(info).titles.get(self.id)

    @strawberry.field
    def broken(self) -> str | None:
        raise ValueError("the binding is torn")

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "CatalogueBook":
        return cls(id=id)


@strawberry.type(name="Query")
class BookQuery:
    @strawberry.field
    def book(self, info: strawberry.Info, id: strawberry.ID) -> CatalogueBook | None:
        return CatalogueBook(id=id) if id in _get_state(info).titles else None

    @strawberry.field
    def books(self, info: strawberry.Info) -> list[CatalogueBook]:
        return [CatalogueBook(id=strawberry.ID(key)) for key in _get_state(info).titles]

    @strawberry.field
    def caller(self, info: strawberry.Info) -> str | None:
        return _read_header(info, "authorization")

    @strawberry.field
    def trace(self, info: strawberry.Info) -> str | None:
        return _read_header(info, "traceparent")

    @strawberry.field
    def mine(self) -> str | None:
        return "yours"

    @strawberry.field
    def ledger(self) -> str | None:
        return "balanced"


@strawberry.type(name="Mutation")
class BookMutation:
    @strawberry.mutation
    def rename(self, info: strawberry.Info, id: strawberry.ID, title: str) -> CatalogueBook | None:
        _get_state(info).titles[id] = title
        return CatalogueBook(id=id)


@strawberry.type(name="Subscription")
class BookSubscription:
    @strawberry.subscription
    async def published(
        self, info: strawberry.Info, count: int = 2
    ) -> AsyncGenerator[CatalogueBook | None, None]:
        async with _get_state(info).count_stream():
            for number in range(1, count + 1):
                yield CatalogueBook(id=strawberry.ID(str(number)))

    @strawberry.subscription
    async def silence(self, info: strawberry.Info) -> AsyncGenerator[CatalogueBook | None, None]:
        async with _get_state(info).count_stream():
            yield CatalogueBook(id=strawberry.ID("1"))
            await asyncio.Event().wait()

    @strawberry.subscription
    async def interrupted(self, info: strawberry.Info) -> AsyncGenerator[CatalogueBook | None, None]:
        async with _get_state(info).count_stream():
            yield CatalogueBook(id=strawberry.ID("1"))
            raise ValueError("the press stopped")

    @strawberry.subscription
    async def private(self) -> AsyncGenerator[CatalogueBook | None, None]:
        yield CatalogueBook(id=strawberry.ID("1"))


@strawberry.federation.type(keys=["id"], name="Book")
class ReviewedBook:
    """A book as the reviews subgraph knows it."""

    id: strawberry.ID

    @strawberry.field
    def stars(self) -> int | None:
        return int(self.id) + 3

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "ReviewedBook":
        return cls(id=id)


@strawberry.type(name="Query")
class ReviewQuery:
    @strawberry.field
    def average(self) -> float | None:
        return 4.5


BOOKS = strawberry.federation.Schema(query=BookQuery, mutation=BookMutation, subscription=BookSubscription)
REVIEWS = strawberry.federation.Schema(query=ReviewQuery, types=[ReviewedBook])


class _Recorder:
    """Records the headers of every request before it is answered."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"] in ("/graphql", "/subscriptions"):
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            scope["app"].state.subgraph.requests.append(headers)
        await self.app(scope, receive, send)


def build_subgraph(schema: strawberry.federation.Schema, state: SubgraphState) -> Starlette:
    """Builds the application of a schema; its data and requests are kept in `state`."""
    view: Any = GraphQL(schema, subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL))

    async def ready(_: Request) -> Response:
        return Response("ok")

    app = Starlette(
        routes=[
            Route("/graphql", view),
            WebSocketRoute("/subscriptions", view),
            Route("/health/ready", ready),
        ]
    )
    app.state.subgraph = state
    app.add_middleware(_Recorder)
    return app
