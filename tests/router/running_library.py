"""The running test library: two subgraphs, an identity service and a router in front of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from router.app import create_app
from router.config.settings import load
from router.telemetry import Metrics
from tests.router.identity import IdentityService
from tests.router.library import SUPERGRAPH
from tests.router.library_subgraphs import BOOKS, REVIEWS, SubgraphState, build_subgraph
from tests.support.serving import serve_app


@dataclass
class Library:
    """A running router with its subgraphs, and a client of it; `shelf` is that of the books subgraph."""

    origin: str
    subgraph_urls: dict[str, str]
    books: SubgraphState
    reviews: SubgraphState
    identities: IdentityService
    client: aiohttp.ClientSession
    metrics: Metrics

    @property
    def url(self) -> str:
        return f"{self.origin}/graphql"

    async def execute(self, query: str, **headers: str) -> Any:
        async with self.client.post(self.url, json={"query": query}, headers=headers) as response:
            return await response.json(content_type=None)


@asynccontextmanager
async def run_library(**settings: Any) -> AsyncIterator[Library]:
    books_state, reviews_state, identities = SubgraphState(), SubgraphState(), IdentityService()
    async with (
        serve_app(build_subgraph(BOOKS, books_state)) as books,
        serve_app(build_subgraph(REVIEWS, reviews_state)) as reviews,
        identities.serve() as jwks,
        aiohttp.ClientSession() as client,
    ):
        urls = {"books": f"{books}/graphql", "reviews": f"{reviews}/graphql"}
        chosen = {"supergraph": SUPERGRAPH, "subgraph_urls": urls, "jwks_url": jwks, **settings}
        app = create_app(load(**chosen))
        async with serve_app(app) as origin:
            yield Library(origin, urls, books_state, reviews_state, identities, client, app.metrics)
