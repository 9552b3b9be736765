"""Liveness, readiness and metrics of the router."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from router.server.application import Application
from router.telemetry import Metrics


def build_routes() -> list[BaseRoute]:
    """The health checks for load balancers.

    A running router has its supergraph; it is ready unless it is draining, or has to verify tokens and has no
    keys. Subgraphs do not count, because one that is down affects only some responses.
    """

    async def report_liveness(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def report_readiness(request: Request) -> Response:
        app: Application = request.app
        checks = {"supergraph": "ok"}
        if (keys := app.service.keys) is not None:
            checks["jwks"] = "ok" if await keys.is_available() else "unreachable"
        if app.is_draining:
            checks["process"] = "draining"
        is_ready = all(outcome == "ok" for outcome in checks.values())
        return JSONResponse(
            {"status": "ok" if is_ready else "unavailable", "checks": checks}, 200 if is_ready else 503
        )

    return [Route("/health/live", report_liveness), Route("/health/ready", report_readiness)]


def create_metrics_app(metrics: Metrics) -> Starlette:
    """The application of `/metrics`, which listens on its own port."""

    async def expose(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/metrics", expose)])
    app.router.redirect_slashes = False
    return app
