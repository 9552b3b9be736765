"""Assembly: builds the service of each supergraph from components that outlive it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import aiohttp

from router.config.header_rules import HeaderRule, HeaderRules, SetValue
from router.config.settings import Settings, get_url_variable
from router.config.traffic import TlsFiles
from router.pipeline import Pipeline
from router.pipeline.operation_cache import OperationCache
from router.pipeline.operation_log import OperationLog
from router.pipeline.preparation import Preparation
from router.pipeline.single_flight import SingleFlight
from router.policy.access import AccessRules
from router.policy.auth import KeySet, TokenVerifier
from router.policy.budget import CostBudget
from router.policy.decisions import PolicyDecisions
from router.policy.documents import Documents
from router.policy.overrides import Overrides
from router.policy.subscriptions import SubscriptionLimits
from router.server.application import Service
from router.server.http import HttpEndpoint
from router.server.request_bodies import RequestBodies
from router.server.responses import Responses
from router.server.single_connection import EventStreams
from router.supergraph import Supergraph
from router.telemetry import Metrics
from router.tracing import Tracer
from router.transport.address import Address, UnusableAddressError
from router.transport.base import StreamSource, Transport
from router.transport.breaker import CircuitBreakers
from router.transport.deduplication import Deduplication
from router.transport.forwarding import Forwarding
from router.transport.http import HttpTransport
from router.transport.http_client import HttpClient
from router.transport.redaction import ALL, RedactedSource, Redaction
from router.transport.response_admission import AdmittedResponses, ResponseAdmission
from router.transport.retries import Retries
from router.transport.sse_source import SseSource
from router.transport.throttling import Throttling
from router.transport.websocket import WebSocketSource


@dataclass(frozen=True, slots=True)
class Assembly:
    """The components that outlive a supergraph; builds the service of each one from them."""

    settings: Settings
    tracer: Tracer
    metrics: Metrics
    operation_log: OperationLog
    documents: Documents
    session: aiohttp.ClientSession
    client: HttpClient
    decisions: PolicyDecisions
    preparing: SingleFlight
    budget: CostBudget | None
    subscriptions: SubscriptionLimits
    streams: EventStreams
    responses: Responses
    bodies: RequestBodies

    def build_service(self, supergraph: Supergraph, previous: Service | None) -> Service:
        """The service of a supergraph; it keeps the previous service's key set if its URL is the same."""
        settings = self.settings
        keys = self._select_key_set(supergraph, previous.keys if previous else None)
        addresses = parse_subgraph_addresses(settings, supergraph)
        pipeline = self._build_pipeline(supergraph, addresses, keys)
        endpoint = HttpEndpoint(
            pipeline,
            self.streams,
            self.responses,
            self.bodies,
            max_batch=settings.limits.max_batch,
            explorer=settings.explorer,
        )
        forwarder = Forwarding(self.session, addresses, settings.traffic.subgraph_timeout)
        return Service(pipeline, endpoint, keys, forwarder)

    def _select_key_set(self, supergraph: Supergraph, previous: KeySet | None) -> KeySet | None:
        """The key set that verifies tokens; a previous one stays usable while its URL is unreachable."""
        url = _select_jwks_url(self.settings, supergraph)
        if previous is not None and previous.url == url:
            return previous
        return KeySet(url, self.session) if url else None

    def _build_pipeline(
        self, supergraph: Supergraph, addresses: Mapping[str, Address], keys: KeySet | None
    ) -> Pipeline:
        settings, traffic = self.settings, self.settings.traffic
        rules = _build_header_rules(settings, addresses)
        return Pipeline(
            self._build_operation_cache(supergraph),
            self.documents,
            self._build_transport(addresses, rules),
            self._build_stream_sources(addresses, rules),
            TokenVerifier(keys, settings.jwt_issuer) if keys else None,
            self.decisions,
            self.metrics,
            self.operation_log,
            self.subscriptions,
            rules=rules,
            timeout=traffic.operation_timeout,
            report_cost=settings.limits.report_cost,
            budget=self.budget,
            null_unauthorized=settings.router_unauthorized == "null",
            tracer=self.tracer,
        )

    def _build_operation_cache(self, supergraph: Supergraph) -> OperationCache:
        settings = self.settings
        return OperationCache(
            Preparation(
                supergraph, settings.limits, introspection=settings.introspection, tracer=self.tracer
            ),
            Overrides(supergraph, settings.traffic.override_labels),
            self.metrics,
            self.preparing,
            size=settings.router_cache_size,
            tracer=self.tracer,
        )

    def _build_transport(self, addresses: Mapping[str, Address], rules: HeaderRules) -> Transport:
        """The transport to the subgraphs, wrapped in the layers that are enabled."""
        traffic, metrics, tracer = self.settings.traffic, self.metrics, self.tracer
        admission = ResponseAdmission()
        transport: Transport = HttpTransport(
            self.client,
            addresses,
            traffic.subgraph_timeout,
            metrics,
            timeouts=traffic.subgraph_timeouts,
            rules=rules,
            codings=traffic.subgraph_compression,
            tracer=tracer,
        )
        if traffic.breaker_failures:
            failures, seconds = traffic.breaker_failures, traffic.breaker_seconds
            transport = CircuitBreakers(transport, failures, seconds, metrics, tracer=tracer)
        if traffic.retries:
            transport = Retries(transport, traffic.retries, traffic.retry_share, metrics)
        transport = Throttling(transport)
        if traffic.share_fetches:
            transport = Deduplication(transport, metrics, admission, traffic.operation_timeout, tracer)
        shown = self.settings.exposed_subgraphs
        if ALL not in shown:
            transport = Redaction(transport, shown)
        return AdmittedResponses(transport, admission)

    def _build_stream_sources(
        self, addresses: Mapping[str, Address], rules: HeaderRules
    ) -> Mapping[str, StreamSource]:
        """The source of each subgraph's subscriptions."""
        traffic, tracer = self.settings.traffic, self.tracer
        events = SseSource(addresses, traffic.subgraph_timeout, rules, traffic.subgraph_compression, tracer)
        over_sockets = {
            name: replace(addresses[name], url=traffic.subscriptions[name].resolve_url(addresses[name].url))
            for name in addresses.keys() & traffic.subscriptions.keys()
        }
        sockets = WebSocketSource(self.session, over_sockets, traffic.subgraph_timeout, rules, tracer)
        shown = self.settings.exposed_subgraphs
        sources: dict[str, StreamSource] = {
            name: sockets if name in over_sockets else events for name in addresses
        }
        return {
            name: source if name in shown or ALL in shown else RedactedSource(source)
            for name, source in sources.items()
        }


def parse_subgraph_addresses(settings: Settings, supergraph: Supergraph) -> Mapping[str, Address]:
    """The address of each subgraph.

    Raises:
        UnusableAddressError: one is invalid; the message names the subgraph and its variable.
    """
    addresses = {}
    for name, info in supergraph.subgraphs.items():
        try:
            url = settings.get_subgraph_url(name, info.url)
            addresses[name] = Address.parse(url, settings.traffic.subgraph_tls.get(name, TlsFiles()))
        except UnusableAddressError as error:
            message = f"The URL of the subgraph {name!r} ({get_url_variable(name)}) is invalid: {error}."
            raise UnusableAddressError(message) from None
    return addresses


def _select_jwks_url(settings: Settings, supergraph: Supergraph) -> str | None:
    """The URL of the key set: the configured one, or the local auth service's if there are access rules."""
    if settings.jwks_url is not None:
        return settings.jwks_url
    return settings.default_jwks_url if AccessRules.read(supergraph.document) else None


def _build_header_rules(settings: Settings, addresses: Mapping[str, Address]) -> HeaderRules:
    """The configured header rules, between those for the credentials in URLs and the router's own.

    Credentials in a subgraph's URL replace the caller's.
    """
    credentials = (
        HeaderRule(SetValue("authorization", address.basic), name)
        for name, address in addresses.items()
        if address.basic
    )
    configured = (rule.to_rule() for rule in settings.traffic.headers)
    return HeaderRules([*credentials, *configured, *settings.authentication_headers])
