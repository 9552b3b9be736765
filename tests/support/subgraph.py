"""A subgraph under test: the real application on a free port, and a GraphQL client of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson
from prometheus_client import REGISTRY

from subgraphs.common.app_state import AppState, get_state
from subgraphs.common.gate import SERVICE_TOKEN_HEADER
from subgraphs.domains import DOMAINS, fill_in_urls
from tests.support.serving import serve_app
from tests.support.tokens import serve_keys


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one GraphQL request."""

    data: Any
    errors: list[dict[str, Any]]

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Answer:
        return cls(body.get("data"), body.get("errors") or [])

    @property
    def ok(self) -> Any:
        """The data; there must be no error."""
        assert not self.errors, self.errors
        return self.data

    @property
    def code(self) -> str:
        """The code of the only error."""
        assert len(self.errors) == 1, (self.data, self.errors)
        return str(self.errors[0]["extensions"]["code"])

    @property
    def field(self) -> str:
        """The input field that the only error refuses."""
        assert len(self.errors) == 1, (self.data, self.errors)
        return str(self.errors[0]["extensions"]["field"])


class SubgraphClient:
    """A GraphQL client of one running subgraph; `runtime` and `verifier` are the subgraph's own.

    `service` are the headers by which it identifies itself as the platform's router.
    """

    def __init__(self, domain: str, address: str, state: AppState) -> None:
        self.address = address
        self.runtime = state.runtime
        self.verifier = state.verifier
        self.service = {SERVICE_TOKEN_HEADER: self.runtime.settings.service_token.get_secret_value()}
        self.http = httpx2.AsyncClient(base_url=address, timeout=30, headers=self.service)
        self._domain = domain

    async def execute(
        self, query: str, variables: Mapping[str, Any] | None = None, token: str | None = None
    ) -> Answer:
        """Send a query or mutation."""
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": dict(variables or {})}, headers=_authorize(token)
        )
        return Answer.from_body(response.json())

    async def subscribe(
        self, query: str, variables: Mapping[str, Any] | None = None, token: str | None = None
    ) -> AsyncGenerator[Answer]:
        """Yield each event of a subscription over SSE until the server completes it.

        Leave it early only through `contextlib.aclosing`.
        """
        async with self.http.stream(
            "POST",
            "/graphql",
            json={"query": query, "variables": dict(variables or {})},
            headers={"accept": "text/event-stream"} | _authorize(token),
        ) as response:
            kind = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(":")
                if name == "event":
                    kind = value.strip()
                elif name == "data" and kind == "next":
                    yield Answer.from_body(orjson.loads(value))
                if kind == "complete":
                    return

    async def resolve_entities(
        self, selection: str, representations: list[dict[str, Any]], token: str | None = None
    ) -> list[Any]:
        """Resolve entity references as the router does."""
        query = f"query ($r: [_Any!]!) {{ _entities(representations: $r) {{ {selection} }} }}"
        answer = await self.execute(query, {"r": representations}, token)
        entities: list[Any] = answer.ok["_entities"]
        return entities

    async def count_statements(self) -> int:
        """Reads from the domain's metric how many SQL statements it has sent so far."""
        sent = REGISTRY.get_sample_value("sql_statements_total", {"service": self._domain})
        return int(sent or 0)


@asynccontextmanager
async def run_subgraph(domain: str, environ: Mapping[str, str]) -> AsyncIterator[SubgraphClient]:
    """Run a domain's subgraph with the settings of `environ`; it trusts the test key.

    What the subgraph asks the graph goes to `GRAPH_URL`: see `tests.support.graph`.
    """
    async with serve_keys() as jwks_url:
        app = DOMAINS[domain].create_app(build_settings(domain, {"JWKS_URL": jwks_url, **environ}))
        async with serve_app(app) as address:
            client = SubgraphClient(domain, address, get_state(app))
            try:
                yield client
            finally:
                await client.http.aclose()


def build_settings(domain: str, environ: Mapping[str, str]) -> Any:
    """Builds the `Settings` of a domain as its subgraph would in this environment."""
    given = {name.lower(): value for name, value in environ.items()}
    return fill_in_urls(DOMAINS[domain].settings.model_validate(given), environ)


def _authorize(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}
