"""A Starlette application whose GraphQL endpoint bypasses its routing and error handling.

The endpoint handles all errors itself and needs neither; a stream would keep what they allocate, five
kibibytes each, for as long as it lasts. Middleware still wraps the endpoint.
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
from router.server.clients import Clients, identify_client
from router.server.http import HttpEndpoint
from router.server.pass_through import Forwarder
from router.telemetry import Metrics

ENDPOINT = "/graphql"
# Both are served, because a redirect from one to the other might downgrade to plain HTTP behind a TLS proxy.
PATHS = (ENDPOINT, f"{ENDPOINT}/")
METHODS = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Service:
    """What serves one supergraph; replaced as a whole when the supergraph changes."""

    pipeline: Pipeline
    endpoint: HttpEndpoint
    keys: KeySet | None
    forwarder: Forwarder


class Application(Starlette):
    """Serves the endpoint with and without a trailing slash."""

    service: Service
    """Set when the application starts."""
    is_draining = False

    def __init__(self, connections: Connections, metrics: Metrics, **options: Any) -> None:
        super().__init__(**options)
        self.router.redirect_slashes = False
        self.metrics = metrics
        self.admission = Admission()
        self.clients = Clients(connections)

    def drain(self) -> None:
        """Reports the application as not ready from now on, because the process is about to end."""
        self.is_draining = True

    def build_middleware_stack(self) -> ASGIApp:
        """The middleware stack, with the endpoint's own beside that of Starlette."""
        direct: ASGIApp = _handle
        for each in reversed(self.user_middleware):
            direct = each.cls(direct, *each.args, **each.kwargs)
        routed = super().build_middleware_stack()

        def dispatch(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
            is_direct = scope["type"] == "http" and scope["path"] in PATHS and scope["method"] in METHODS
            return (direct if is_direct else routed)(scope, receive, send)

        return dispatch


async def _handle(scope: Scope, receive: Receive, send: Send) -> None:
    app: Application = scope["app"]
    request = Request(scope, receive, send)
    await app.admission.enter(identify_client(request))
    response = await app.service.endpoint.handle(request)
    await response(scope, receive, send)
