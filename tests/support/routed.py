"""The platform's router before a single subgraph; the others are unavailable."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.checkout import ROOT
from subgraphs.common.app_state import AppState
from subgraphs.domains import DOMAINS
from tests.support.router_process import start_router, wait_for_origin
from tests.support.serving import refuse_connections
from tests.support.subgraph import SubgraphClient


@asynccontextmanager
async def route_to(subgraph: SubgraphClient) -> AsyncIterator[SubgraphClient]:
    """Run the router before a subgraph under test; yields a client of the router."""
    runtime = subgraph.runtime
    async with refuse_connections() as nobody:
        urls = {domain.url_variable: f"{nobody}/graphql" for domain in DOMAINS.values()}
        urls[runtime.domain.url_variable] = f"{subgraph.address}/graphql"
        environ = {
            "SUPERGRAPH": str(ROOT / "schema" / "supergraph.graphql"),
            "JWKS_URL": runtime.settings.jwks_url,
            "SERVICE_TOKEN": runtime.settings.service_token.get_secret_value(),
            **urls,
        }
        async with start_router("--port", "0", **environ) as process:
            origin = await wait_for_origin(process)
            client = SubgraphClient(runtime.domain.name, origin, AppState(runtime, subgraph.verifier))
            try:
                yield client
            finally:
                await client.http.aclose()
