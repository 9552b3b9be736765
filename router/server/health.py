"""Whether the router lives, whether it can serve, and what it measures."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from router.server.application import Application
from router.telemetry import Metrics


def routes() -> list[BaseRoute]:
    """The addresses that load balancers ask.

    A router that runs has its supergraph; beyond that it is ready when it can verify tokens, where it
    verifies any, and does not end. Subgraphs do not count: one that is down is an error in some answers, not
    in all.
    """

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        app: Application = request.app
        checks = {"supergraph": "ok"}
        if (keys := app.service.keys) is not None:
            checks["jwks"] = "ok" if await keys.is_available() else "unreachable"
        if app.draining:
            checks["process"] = "ends"
        well = all(outcome == "ok" for outcome in checks.values())
        return JSONResponse(
            {"status": "ok" if well else "unavailable", "checks": checks}, 200 if well else 503
        )

    return [Route("/health/live", live), Route("/health/ready", ready)]


def metrics_app(metrics: Metrics) -> Starlette:
    """What operators read, at an address of its own that clients do not reach."""

    async def expose(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/metrics", expose)])
    app.router.redirect_slashes = False
    return app
