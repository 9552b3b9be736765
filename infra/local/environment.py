"""Which settings each process is given: its own and no other's."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dotenv import dotenv_values

from infra.checkout import ROOT
from subgraphs.domains import DOMAINS

ROUTER_PORT_SETTING = "API_PORT"
DEFAULT_PORTS = {
    ROUTER_PORT_SETTING: 3000,
    **{domain.port_variable: domain.port for domain in DOMAINS.values()},
}

# What a process needs of the machine: to find programs and certificates, and to be measured by the tests.
MACHINE = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"),
)
# Jobs use much memory for a moment, in many threads; without this glibc keeps most of it for good.
FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
# What the router and the subgraphs know each other by, and where the subgraphs listen.
SERVICES = ("SERVICE_TOKEN", "SUBGRAPH_HOST")
COMMON = ("HOST", "METRICS_HOST", "ENVIRONMENT", "LOG_LEVEL", "JWT_ISSUER", "JWKS_URL", *DEFAULT_PORTS)
STORES = (
    *("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB"),
    *("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB"),
    *("GRAPH_URL", "STORAGE_URL", "FILES_URL", "PUBLIC_URL", "FILE_SIGNING_KEY"),
)
PASSWORDS = tuple(domain.password_variable for domain in DOMAINS.values())
URLS = tuple(domain.url_variable for domain in DOMAINS.values())

# Prefixes of the settings of the router and of OpenTelemetry.
ROUTER, OPENTELEMETRY = "ROUTER_", "OTEL_"
OWNER = ("POSTGRES_USER", "POSTGRES_PASSWORD")


def given_settings() -> dict[str, str]:
    """The platform's settings from the process environment, or else from `.env`; empty is not set."""
    everything = dotenv_values(ROOT / ".env") | dict(os.environ)
    return {name: value for name, value in everything.items() if value and _is_setting(name)}


def _is_setting(name: str) -> bool:
    return name in _KNOWN or name.startswith((ROUTER, OPENTELEMETRY))


def subgraph_environ(name: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of one subgraph: of the passwords, its own alone."""
    domain = DOMAINS[name]
    return _only([*COMMON, *STORES, *SERVICES, domain.password_variable, *domain.variables], settings)


def worker_environ(settings: Mapping[str, str], metrics_port: int) -> dict[str, str]:
    """The environment of a worker, which does the jobs of all domains."""
    own = (
        variable
        for domain in DOMAINS.values()
        for variable in domain.variables
        if variable not in map(domain.settings.variable, domain.secrets)
    )
    return _only([*COMMON, *STORES, *PASSWORDS, *own], settings) | {"WORKER_METRICS_PORT": str(metrics_port)}


def router_environ(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the router: no database, no store, no provider."""
    # What our own domains say of errors is meant for clients.
    settings = {"ROUTER_INCLUDE_SUBGRAPH_ERRORS": ",".join(DOMAINS), **settings}
    own = [*_starting(ROUTER, settings), *_starting(OPENTELEMETRY, settings)]
    return _only([*COMMON, *own, "SERVICE_TOKEN", "SUPERGRAPH", *URLS], settings)


def migration_environ(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the migrations, the only ones to know the database's owner."""
    return _only([*COMMON, *STORES, *OWNER, *PASSWORDS], settings)


def _starting(prefix: str, settings: Mapping[str, str]) -> list[str]:
    return [name for name in settings if name.startswith(prefix)]


def _only(names: list[str], settings: Mapping[str, str]) -> dict[str, str]:
    machine = {name: os.environ[name] for name in MACHINE if name in os.environ}
    chosen = {name: settings[name] for name in names if name in settings}
    return machine | FRUGAL | {"PYTHONUNBUFFERED": "1"} | chosen


_KNOWN = {
    *COMMON,
    *STORES,
    *SERVICES,
    *OWNER,
    *(variable for domain in DOMAINS.values() for variable in domain.variables),
    *PASSWORDS,
    *URLS,
    "SUPERGRAPH",
}
