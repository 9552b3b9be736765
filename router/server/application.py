"""Starlette with the GraphQL endpoint in front of its routing and error pages.

The endpoint answers whatever happens, so it needs neither; a live stream would keep what they allocate, five
kibibytes each, for as long as it lives. Middleware stands before the endpoint as before everything else.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from router.admission import Admission
from router.config.connections import Connections
from router.pipeline import Pipeline
from router.policy.auth import KeySet
from router.server.clients import Clients, client_key
from router.server.http import HttpEndpoint
from router.telemetry import Metrics

ENDPOINT = "/graphql"
# Whoever is redirected from one to the other sends the body again, in the clear where TLS ended before us.
PATHS = (ENDPOINT, f"{ENDPOINT}/")
METHODS = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Service:
    """What serves one supergraph; a changed supergraph replaces it as a whole."""

    pipeline: Pipeline
    endpoint: HttpEndpoint
    keys: KeySet | None


class Application(Starlette):
    """An application whose service answers at the endpoint, with and without a trailing slash."""

    service: Service
    """Set when the application starts."""
    draining = False

    def __init__(self, connections: Connections, metrics: Metrics, **options: Any) -> None:
        super().__init__(**options)
        self.router.redirect_slashes = False
        self.metrics = metrics
        self.admission = Admission()
        self.clients = Clients(connections)

    def drain(self) -> None:
        """Says from now on that it is not ready: the process is about to end."""
        self.draining = True

    def build_middleware_stack(self) -> ASGIApp:
        """Everything that a request passes through."""
        direct: ASGIApp = _answer
        for each in reversed(self.user_middleware):
            direct = each.cls(direct, *each.args, **each.kwargs)
        routed = super().build_middleware_stack()

        def dispatch(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
            is_direct = scope["type"] == "http" and scope["path"] in PATHS and scope["method"] in METHODS
            return (direct if is_direct else routed)(scope, receive, send)

        return dispatch


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    app: Application = scope["app"]
    request = Request(scope, receive, send)
    await app.admission.enter(client_key(request))
    response = await app.service.endpoint.handle(request)
    await response(scope, receive, send)
