"""The ASGI application of a router, created from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import ref

import aiohttp
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from router.assembly import Assembly, parse_subgraph_addresses
from router.config.settings import Settings
from router.config.traffic import Traffic
from router.pipeline.operation_log import OperationLog
from router.pipeline.preparation import PREPARATION_TIMEOUT_SECONDS
from router.pipeline.single_flight import open_single_flight
from router.policy.decisions import PolicyDecisions
from router.policy.documents import Documents, PersistedDocuments, read_manifest
from router.policy.subscriptions import SubscriptionLimits
from router.reload import ServedSupergraph, watch_supergraph
from router.server import graphiql, health, pass_through
from router.server.application import ENDPOINT, METHODS, PATHS, Application
from router.server.http import EndpointResponse
from router.server.origins import EXPOSED_HEADERS, may_connect
from router.server.request_bodies import RequestBodies
from router.server.responses import Responses
from router.server.single_connection import EventStreams
from router.server.websocket import WebSocketSession
from router.supergraph import Supergraph
from router.telemetry import Metrics
from router.tracing import NO_TRACER, Tracer
from router.transport.http import open_session
from router.transport.http_client import HttpClient

if TYPE_CHECKING:
    from router.policy.redis_budget import RedisCostBudget
    from router.policy.redis_documents import RedisDocuments

EXAMPLES = "examples"


def create_app(settings: Settings) -> Application:
    """Creates the ASGI application.

    Raises:
        OSError: the supergraph cannot be read.
        ValueError: the supergraph, the manifest of trusted documents or a subgraph's URL is invalid.
    """
    content = settings.supergraph.read_text()
    supergraph = Supergraph.parse(content)
    parse_subgraph_addresses(settings, supergraph)
    _check_pass_through(settings, supergraph)
    manifest = settings.router_trusted_documents
    trusted = read_manifest(manifest) if manifest else None
    metrics, bodies, responses = Metrics(), RequestBodies(settings.limits), Responses(settings.connections)
    return Application(
        settings.connections,
        metrics,
        lifespan=partial(_lifespan, settings, content, supergraph, trusted, bodies, responses),
        middleware=_build_cors(settings),
        routes=[
            *(Route(path, _handle_http, methods=METHODS) for path in PATHS),
            *(WebSocketRoute(path, partial(_handle_websocket, settings)) for path in PATHS),
            *health.build_routes(),
            *pass_through.build_routes(settings.traffic.pass_through, bodies, responses, metrics),
            *(graphiql.build_routes(settings.supergraph.parent / EXAMPLES) if settings.explorer else ()),
        ],
    )


@asynccontextmanager
async def _lifespan(
    settings: Settings,
    content: str,
    supergraph: Supergraph,
    trusted: Mapping[str, str] | None,
    bodies: RequestBodies,
    responses: Responses,
    app: Application,
) -> AsyncIterator[None]:
    """Serves the supergraph that was parsed from `content`, and its later versions."""
    limits, operation_log, tracer = settings.limits, OperationLog(app.metrics), _create_tracer(settings)
    async with (
        tracer.run(),
        operation_log.run(),
        open_session() as session,
        _create_client(settings.traffic) as client,
        _close_at_exit(_create_shared_documents(settings)) as shared,
        _close_at_exit(_create_cost_budget(settings)) as budget,
        open_single_flight(
            PREPARATION_TIMEOUT_SECONDS, limits.max_waiting_documents, limits.max_waiting_documents_per_client
        ) as preparing,
    ):
        assembly = Assembly(
            settings,
            tracer,
            app.metrics,
            operation_log,
            _create_documents(settings, trusted, shared),
            session,
            client,
            _create_decisions(settings, session),
            preparing,
            budget,
            SubscriptionLimits(limits.max_subscriptions, limits.max_subscriptions_per_client),
            EventStreams(
                limits.max_reserved_streams,
                limits.max_reserved_streams_per_client,
                limits.max_socket_operations,
            ),
            responses,
            bodies,
        )

        def apply(supergraph: Supergraph) -> ServedSupergraph:
            app.service = assembly.build_service(supergraph, getattr(app, "service", None))
            return ServedSupergraph(supergraph, ref(app.service.pipeline))

        async with _watch(settings, apply, apply(supergraph), content):
            yield


def _check_pass_through(settings: Settings, supergraph: Supergraph) -> None:
    for path, subgraph in settings.traffic.pass_through.items():
        if subgraph not in supergraph.subgraphs:
            raise ValueError(f"ROUTER_PASS_THROUGH: {path} names {subgraph!r}, which is not a subgraph.")


class _Store(Protocol):
    async def close(self) -> None: ...


_StoreT = TypeVar("_StoreT", bound=_Store)


@asynccontextmanager
async def _close_at_exit(store: _StoreT | None) -> AsyncIterator[_StoreT | None]:
    try:
        yield store
    finally:
        if store:
            await store.close()


def _create_client(traffic: Traffic) -> HttpClient:
    return HttpClient(
        max_response_bytes=traffic.max_response_bytes,
        max_connections=traffic.subgraph_connections,
        max_waiting=traffic.subgraph_waiting,
    )


def _watch(
    settings: Settings, apply: Callable[[Supergraph], ServedSupergraph], first: ServedSupergraph, content: str
) -> AbstractAsyncContextManager[None]:
    if not settings.router_reload_seconds:
        return nullcontext()
    return watch_supergraph(settings.supergraph, settings.router_reload_seconds, apply, first, content)


async def _handle_http(request: Request) -> EndpointResponse:
    app: Application = request.app
    return await app.service.endpoint.handle(request)


async def _handle_websocket(settings: Settings, socket: WebSocket) -> None:
    if not may_connect(socket.headers, settings.traffic.cors_origins):
        await socket.close()
        return
    app: Application = socket.app
    limit = settings.limits.max_socket_operations
    await WebSocketSession(socket, lambda: app.service.pipeline, app.admission, limit).serve()


def _create_tracer(settings: Settings) -> Tracer:
    if (exporter := settings.telemetry.exporter) == "none":
        return NO_TRACER
    # Only a router that exports spans imports the SDK.
    from router.tracing.opentelemetry import OpenTelemetryTracer  # noqa: PLC0415 - see above

    return OpenTelemetryTracer(exporter, ENDPOINT)


def _build_cors(settings: Settings) -> list[Middleware]:
    """The CORS middleware, if any other origin is allowed."""
    origins, connections = settings.traffic.cors_origins, settings.connections
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=["*"],
            allow_credentials=connections.cors_credentials,
            expose_headers=EXPOSED_HEADERS,
            max_age=connections.cors_max_age,
        )
    ]


def _create_documents(
    settings: Settings, trusted: Mapping[str, str] | None, shared: RedisDocuments | None
) -> Documents:
    return Documents(
        trusted,
        safelist=settings.router_safelist,
        persisted=PersistedDocuments(settings.router_cache_size, shared) if settings.router_apq else None,
    )


def _create_decisions(settings: Settings, session: aiohttp.ClientSession) -> PolicyDecisions:
    url = str(settings.router_policy_url) if settings.router_policy_url else None
    return PolicyDecisions(url, session, settings.router_policy_timeout)


def _create_shared_documents(settings: Settings) -> RedisDocuments | None:
    if not (settings.router_apq and settings.router_apq_redis_url):
        return None
    # Only a router that shares documents imports the Redis client.
    from router.policy.redis_documents import RedisDocuments  # noqa: PLC0415 - see above

    return RedisDocuments(str(settings.router_apq_redis_url))


def _create_cost_budget(settings: Settings) -> RedisCostBudget | None:
    if not settings.limits.cost_per_minute:
        return None
    # Only a router that counts costs imports the Redis client.
    from router.policy.redis_budget import RedisCostBudget  # noqa: PLC0415 - see above

    return RedisCostBudget(str(settings.router_cost_redis_url), settings.limits.cost_per_minute)
