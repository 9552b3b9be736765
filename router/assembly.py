"""Assembling the service of one supergraph, from what all supergraphs of a process share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import aiohttp

from router.config.header_rules import HeaderRule, HeaderRules, Put
from router.config.settings import Settings, variable_of
from router.pipeline import CostBudget, Pipeline
from router.pipeline.operation_log import OperationLog
from router.pipeline.operations import Operations
from router.pipeline.preparation import Preparation
from router.pipeline.single_flight import SingleFlight
from router.policy.access import AccessRules
from router.policy.auth import KeySet, TokenVerifier
from router.policy.decisions import PolicyDecisions
from router.policy.documents import Documents
from router.policy.overrides import Overrides
from router.server.application import Service
from router.server.http import HttpEndpoint
from router.server.responses import Responses
from router.server.single_connection import EventStreams
from router.supergraph import Supergraph
from router.telemetry import Metrics
from router.tracing import Tracer
from router.transport.address import Address, UnusableAddressError
from router.transport.admitted_answers import AdmittedAnswers
from router.transport.base import StreamSource, Transport
from router.transport.breaker import CircuitBreakers
from router.transport.deduplication import Deduplication
from router.transport.event_source import EventSource
from router.transport.http import HttpTransport
from router.transport.http_client import HttpClient
from router.transport.redaction import ALL, RedactedSource, Redaction
from router.transport.retries import Retries
from router.transport.throttling import Throttling
from router.transport.websocket import WebSocketSource


@dataclass(frozen=True, slots=True)
class Assembly:
    """What outlives a supergraph, and how a service is built from it."""

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
    streams: EventStreams
    responses: Responses

    def service(self, supergraph: Supergraph, previous: Service | None) -> Service:
        """The service of a supergraph; it keeps the previous one's keys if their address is the same."""
        settings = self.settings
        keys = self._keys(supergraph, previous.keys if previous else None)
        pipeline = self._pipeline(supergraph, keys)
        endpoint = HttpEndpoint(
            pipeline, self.streams, self.responses, settings.limits, explorer=settings.explorer
        )
        return Service(pipeline, endpoint, keys)

    def _keys(self, supergraph: Supergraph, known: KeySet | None) -> KeySet | None:
        """The keys that tokens are verified with; known ones hold even while their address is unreachable."""
        url = _jwks_url(self.settings, supergraph)
        if known is not None and known.url == url:
            return known
        return KeySet(url, self.session) if url else None

    def _pipeline(self, supergraph: Supergraph, keys: KeySet | None) -> Pipeline:
        settings, traffic = self.settings, self.settings.traffic
        addresses = addresses_of(settings, supergraph)
        rules = _rules(settings, addresses)
        return Pipeline(
            self._operations(supergraph),
            self.documents,
            self._transport(addresses, rules),
            self._sources(addresses, rules),
            TokenVerifier(keys, settings.jwt_issuer) if keys else None,
            self.decisions,
            self.metrics,
            self.operation_log,
            rules=rules,
            timeout=traffic.operation_timeout,
            report_cost=settings.limits.report_cost,
            budget=self.budget,
            withholds=settings.router_unauthorized == "null",
            tracer=self.tracer,
        )

    def _operations(self, supergraph: Supergraph) -> Operations:
        settings = self.settings
        return Operations(
            Preparation(
                supergraph, settings.limits, introspection=settings.introspection, tracer=self.tracer
            ),
            Overrides(supergraph, settings.traffic.override_labels),
            self.metrics,
            self.preparing,
            size=settings.router_cache_size,
            tracer=self.tracer,
        )

    def _transport(self, addresses: Mapping[str, Address], rules: HeaderRules) -> Transport:
        """The way to the subgraphs, through the layers that are switched on."""
        traffic, metrics, tracer = self.settings.traffic, self.metrics, self.tracer
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
            transport = Deduplication(transport, metrics, traffic.operation_timeout, tracer)
        shown = self.settings.shown_errors
        if ALL not in shown:
            transport = Redaction(transport, shown)
        return AdmittedAnswers(transport)

    def _sources(self, addresses: Mapping[str, Address], rules: HeaderRules) -> Mapping[str, StreamSource]:
        """How the subscriptions of each subgraph are opened."""
        traffic, tracer = self.settings.traffic, self.tracer
        events = EventSource(addresses, traffic.subgraph_timeout, rules, traffic.subgraph_compression, tracer)
        over_sockets = {
            name: replace(addresses[name], url=traffic.subscriptions[name].url(addresses[name].url))
            for name in addresses.keys() & traffic.subscriptions.keys()
        }
        sockets = WebSocketSource(self.session, over_sockets, traffic.subgraph_timeout, rules, tracer)
        shown = self.settings.shown_errors
        sources: dict[str, StreamSource] = {
            name: sockets if name in over_sockets else events for name in addresses
        }
        return {
            name: source if name in shown or ALL in shown else RedactedSource(source)
            for name, source in sources.items()
        }


def addresses_of(settings: Settings, supergraph: Supergraph) -> Mapping[str, Address]:
    """Where the subgraphs are.

    Raises:
        UnusableAddressError: one is nowhere; the message names it and the variable that says where it is.
    """
    found = {}
    for name, info in supergraph.subgraphs.items():
        try:
            url = settings.url_of(name, info.url)
            found[name] = Address.of(url, settings.traffic.subgraph_ca_files.get(name))
        except UnusableAddressError as error:
            message = f"The address of the subgraph {name!r} ({variable_of(name)}) cannot be used: {error}."
            raise UnusableAddressError(message) from None
    return found


def _jwks_url(settings: Settings, supergraph: Supergraph) -> str | None:
    """Where tokens' keys are: as configured, or the local auth service where the graph has access rules."""
    if settings.jwks_url is not None:
        return settings.jwks_url
    return settings.default_jwks_url if AccessRules.of(supergraph.document) else None


def _rules(settings: Settings, addresses: Mapping[str, Address]) -> HeaderRules:
    """The header rules, between the users that addresses name and what the router says of itself.

    Such a user stands for the caller.
    """
    users = (
        HeaderRule(Put("authorization", address.basic), name)
        for name, address in addresses.items()
        if address.basic
    )
    chosen = (rule.compiled() for rule in settings.traffic.headers)
    return HeaderRules([*users, *chosen, *settings.own_headers])
