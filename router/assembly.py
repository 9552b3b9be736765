"""The router's parts put together for one supergraph, on what all supergraphs of a process share."""

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
from router.policy.auth import KeySet, TokenVerifier
from router.policy.decisions import PolicyDecisions
from router.policy.documents import Documents
from router.policy.overrides import Overrides
from router.supergraph import Supergraph
from router.telemetry import Metrics
from router.tracing import Tracer
from router.transport.address import Address, UnusableAddressError
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
    """What outlives a supergraph, and how a pipeline is built on it."""

    settings: Settings
    tracer: Tracer
    metrics: Metrics
    answered: OperationLog
    documents: Documents
    session: aiohttp.ClientSession
    client: HttpClient
    decisions: PolicyDecisions
    preparing: SingleFlight
    budget: CostBudget | None

    def pipeline(self, supergraph: Supergraph, keys: KeySet | None) -> Pipeline:
        """The stages of requests on one supergraph."""
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
            self.answered,
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
        return transport if ALL in shown else Redaction(transport, shown)

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
