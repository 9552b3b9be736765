"""Starlette with the GraphQL endpoint in front of its routing and error pages.

The endpoint answers whatever happens, so it needs neither; a live stream would keep what they allocate, five
kibibytes each, for as long as it lives. Middleware stands before the endpoint as before everything else.
"""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from router.server.clients import client_key

ENDPOINT = "/graphql"
# Whoever is redirected from one to the other sends the body again, in the clear where TLS ended before us.
PATHS = (ENDPOINT, f"{ENDPOINT}/")
METHODS = ("GET", "POST", "PUT", "DELETE")


class Application(Starlette):
    """An application whose `state.http` answers at the endpoint, with and without a slash behind it."""

    draining = False

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
    state, request = scope["app"].state, Request(scope, receive, send)
    await state.admission.enter(client_key(request))
    response = await state.http.handle(request)
    await response(scope, receive, send)
