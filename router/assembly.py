"""The router's parts put together for one supergraph, on what all supergraphs of a process share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from router.executor.headers import HeaderRules
from router.executor.http_client import HttpClient
from router.executor.retries import Retries
from router.executor.transport import StreamSource, Transport
from router.operation_log import OperationLog
from router.parts import Parts
from router.policy.auth import KeySet, TokenVerifier
from router.policy.decisions import PolicyDecisions
from router.policy.documents import Documents
from router.policy.overrides import Overrides
from router.server.operations import Operations
from router.server.pipeline import CostBudget, Pipeline
from router.server.single_flight import SingleFlight
from router.settings import Settings
from router.supergraph import Supergraph
from router.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Assembly:
    """What outlives a supergraph, and how a pipeline is built on it."""

    settings: Settings
    parts: Parts
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
        urls = {name: settings.url_of(name, info.url) for name, info in supergraph.subgraphs.items()}
        rules = HeaderRules(rule.compiled() for rule in traffic.headers)
        return self.parts.pipeline(
            self._operations(supergraph),
            self.documents,
            self._transport(urls, rules),
            self._sources(urls, rules),
            TokenVerifier(keys, settings.jwt_issuer) if keys else None,
            self.decisions,
            self.metrics,
            self.answered,
            rules=rules,
            timeout=traffic.operation_timeout,
            report_cost=settings.limits.report_cost,
            budget=self.budget,
            withholds=settings.router_unauthorized == "null",
        )

    def _operations(self, supergraph: Supergraph) -> Operations:
        settings = self.settings
        return self.parts.operations(
            self.parts.preparation(supergraph, settings.limits, introspection=settings.introspection),
            Overrides(supergraph, settings.traffic.override_labels),
            self.metrics,
            self.preparing,
            size=settings.router_cache_size,
        )

    def _transport(self, urls: Mapping[str, str], rules: HeaderRules) -> Transport:
        """The way to the subgraphs, through the layers that are switched on."""
        traffic, metrics = self.settings.traffic, self.metrics
        transport: Transport = self.parts.transport(
            self.client,
            urls,
            traffic.subgraph_timeout,
            metrics,
            timeouts=traffic.subgraph_timeouts,
            rules=rules,
        )
        if traffic.breaker_failures:
            failures, seconds = traffic.breaker_failures, traffic.breaker_seconds
            transport = self.parts.breakers(transport, failures, seconds, metrics)
        if traffic.retries:
            transport = Retries(transport, traffic.retries, traffic.retry_share, metrics)
        if traffic.share_fetches:
            transport = self.parts.deduplication(transport, metrics)
        return transport

    def _sources(self, urls: Mapping[str, str], rules: HeaderRules) -> Mapping[str, StreamSource]:
        """How the subscriptions of each subgraph are opened."""
        traffic = self.settings.traffic
        events = self.parts.events(urls, traffic.subgraph_timeout, rules)
        over_sockets = {
            name: traffic.subscriptions[name].url(urls[name]) for name in urls & traffic.subscriptions.keys()
        }
        sockets = self.parts.sockets(self.session, over_sockets, traffic.subgraph_timeout, rules)
        return {name: sockets if name in over_sockets else events for name in urls}
