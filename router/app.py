"""The router put together: settings and a supergraph in, an ASGI application out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING
from weakref import ref

import aiohttp
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from router.assembly import Assembly, addresses_of
from router.config.settings import Settings
from router.config.traffic import Traffic
from router.pipeline.operation_log import OperationLog
from router.pipeline.preparation import PATIENCE_SECONDS
from router.pipeline.single_flight import single_flight
from router.policy.access import AccessRules
from router.policy.auth import KeySet
from router.policy.decisions import PolicyDecisions
from router.policy.documents import Documents, PersistedDocuments, read_manifest
from router.reloading import Served, reloading
from router.server import graphiql, health
from router.server.admission import Admission
from router.server.application import ENDPOINT, METHODS, PATHS, Application
from router.server.clients import Clients
from router.server.http import EndpointResponse, HttpEndpoint
from router.server.origins import EXPOSED_HEADERS, may_connect
from router.server.responses import Responses
from router.server.single_connection import EventStreams
from router.server.websocket import Connection
from router.supergraph import Supergraph
from router.telemetry import Metrics
from router.tracing import NO_TRACER, Tracer
from router.transport.http import open_session
from router.transport.http_client import HttpClient

if TYPE_CHECKING:
    from router.policy.budget import RedisCostBudget
    from router.policy.shared_documents import RedisDocuments

EXAMPLES = "examples"


def create_app(settings: Settings) -> Application:
    """The router as an ASGI application.

    Raises:
        OSError: the supergraph cannot be read.
        ValueError: it is not a supergraph, or a subgraph's address cannot be used.
    """
    content = settings.supergraph.read_text()
    supergraph = Supergraph.parse(content)
    addresses_of(settings, supergraph)
    tracer = _tracer(settings)
    metrics = Metrics()
    answered = OperationLog(metrics)
    shared = _shared_documents(settings)
    budget = _cost_budget(settings)
    documents = _documents(settings, shared)
    streams = EventStreams(
        settings.limits.max_reserved_streams,
        settings.limits.max_reserved_streams_per_client,
        settings.limits.max_socket_operations,
    )

    responses = Responses(settings.connections)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            tracer.run(),
            answered.written(),
            open_session() as session,
            _client(settings.traffic) as client,
            single_flight(
                PATIENCE_SECONDS,
                settings.limits.max_waiting_documents,
                settings.limits.max_waiting_documents_per_client,
            ) as preparing,
        ):
            decisions = _decisions(settings, session)
            assembly = Assembly(
                settings, tracer, metrics, answered, documents, session, client, decisions, preparing, budget
            )

            def take_up(supergraph: Supergraph) -> Served:
                jwks_url, keys = _jwks_url(settings, supergraph), getattr(app.state, "keys", None)
                # Keys that are known hold though the supergraph has changed, and where they come from is
                # away.
                if keys is None or keys.url != jwks_url:
                    keys = KeySet(jwks_url, session) if jwks_url else None
                pipeline = assembly.pipeline(supergraph, keys)
                app.state.keys, app.state.pipeline = keys, pipeline
                app.state.http = HttpEndpoint(
                    pipeline, streams, responses, settings.limits, explorer=settings.explorer
                )

                return Served(supergraph, ref(pipeline))

            first = take_up(supergraph)
            app.state.clients = Clients(settings.connections)
            app.state.max_socket_operations = settings.limits.max_socket_operations
            app.state.origins = frozenset(settings.traffic.cors_origins)
            async with _reloading(settings, take_up, first, content):
                yield
        for store in (shared, budget):
            if store:
                await store.close()

    app = Application(
        lifespan=lifespan,
        middleware=_cors(settings),
        routes=[
            *(Route(path, _http, methods=METHODS) for path in PATHS),
            *(WebSocketRoute(path, _websocket) for path in PATHS),
            *health.routes(),
            *(graphiql.routes(settings.supergraph.parent / EXAMPLES) if settings.explorer else ()),
        ],
    )
    app.router.redirect_slashes = False
    app.state.metrics = metrics
    app.state.admission = Admission()
    return app


def _client(traffic: Traffic) -> HttpClient:
    return HttpClient(
        max_answer_bytes=traffic.max_response_bytes,
        max_connections=traffic.subgraph_connections,
        max_waiting=traffic.subgraph_waiting,
    )


def _reloading(
    settings: Settings, take_up: Callable[[Supergraph], Served], first: Served, content: str
) -> AbstractAsyncContextManager[None]:
    if not settings.router_reload_seconds:
        return nullcontext()
    return reloading(settings.supergraph, settings.router_reload_seconds, take_up, first, content)


async def _http(request: Request) -> EndpointResponse:
    endpoint: HttpEndpoint = request.app.state.http
    return await endpoint.handle(request)


async def _websocket(socket: WebSocket) -> None:
    state = socket.app.state
    if not may_connect(socket.headers, state.origins):
        await socket.close()
        return
    await Connection(socket, lambda: state.pipeline, state.admission, state.max_socket_operations).serve()


def _tracer(settings: Settings) -> Tracer:
    if (exporter := settings.telemetry.exporter) == "none":
        return NO_TRACER
    # Only a router whose spans are wanted pays for the SDK's import.
    from router.tracing.opentelemetry import OpenTelemetryTracer  # noqa: PLC0415 - as said above

    return OpenTelemetryTracer(exporter, ENDPOINT)


def _cors(settings: Settings) -> list[Middleware]:
    """What lets the pages of other origins read answers."""
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


def _documents(settings: Settings, shared: RedisDocuments | None) -> Documents:
    manifest = settings.router_trusted_documents
    return Documents(
        read_manifest(manifest) if manifest else None,
        safelist=settings.router_safelist,
        persisted=PersistedDocuments(settings.router_cache_size, shared) if settings.router_apq else None,
    )


def _decisions(settings: Settings, session: aiohttp.ClientSession) -> PolicyDecisions:
    url = str(settings.router_policy_url) if settings.router_policy_url else None
    return PolicyDecisions(url, session, settings.router_policy_timeout)


def _shared_documents(settings: Settings) -> RedisDocuments | None:
    if not (settings.router_apq and settings.router_apq_redis_url):
        return None
    # Only a router that shares documents pays for the client's import.
    from router.policy.shared_documents import RedisDocuments  # noqa: PLC0415 - as said above

    return RedisDocuments(str(settings.router_apq_redis_url))


def _cost_budget(settings: Settings) -> RedisCostBudget | None:
    if not settings.limits.cost_per_minute:
        return None
    # As above: only a router that counts costs pays for it.
    from router.policy.budget import RedisCostBudget  # noqa: PLC0415 - as said above

    return RedisCostBudget(str(settings.router_cost_redis_url), settings.limits.cost_per_minute)


def _jwks_url(settings: Settings, supergraph: Supergraph) -> str | None:
    """Where tokens are verified: as configured, or by the local auth service where the graph has guards."""
    if settings.jwks_url is not None:
        return settings.jwks_url
    return settings.default_jwks_url if AccessRules.of(supergraph.document) else None
