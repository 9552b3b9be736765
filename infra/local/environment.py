"""The environments of the processes: each has only the settings that it needs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dotenv import dotenv_values

from infra.checkout import ENV_FILE
from subgraphs.domains import DOMAINS

ROUTER_PORT_SETTING = "API_PORT"
DEFAULT_PORTS = {
    ROUTER_PORT_SETTING: 3000,
    **{domain.port_variable: domain.port for domain in DOMAINS.values()},
}

# Inherited from the parent: paths, locale, certificates, proxies, and the tests' coverage measurement.
INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"),
)
# Jobs briefly use much memory in many threads; without this, glibc would keep most of it.
MALLOC_SETTINGS = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
# Shared by the router and the subgraphs.
SERVICE_SETTINGS = ("SERVICE_TOKEN", "SUBGRAPH_HOST")
COMMON_SETTINGS = (
    "HOST",
    "METRICS_HOST",
    "ENVIRONMENT",
    "LOG_LEVEL",
    "JWT_ISSUER",
    "JWKS_URL",
    *DEFAULT_PORTS,
)
STORE_SETTINGS = (
    *("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_POOL_SIZE"),
    *("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB"),
    *("GRAPH_URL", "STORAGE_URL", "PUBLIC_URL", "FILE_SIGNING_KEY", "OUTGOING_CA_FILE"),
    "LIVE_RETENTION_DAYS",
)
WORKER_SETTINGS = ("MESSAGE_RETENTION_DAYS", "WORKER_DRAIN_SECONDS")
PASSWORD_SETTINGS = tuple(domain.password_variable for domain in DOMAINS.values())
URL_SETTINGS = tuple(domain.url_variable for domain in DOMAINS.values())

# Prefixes of the settings of the router and of OpenTelemetry.
ROUTER_PREFIX, OPENTELEMETRY_PREFIX = "ROUTER_", "OTEL_"
# Those of the database's owner, with the defaults in `infra.database`.
OWNER_CREDENTIALS = {"POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": ""}


def read_settings() -> dict[str, str]:
    """Read the platform's settings from the environment or else `.env`; empty values count as unset."""
    environ = dotenv_values(ENV_FILE) | dict(os.environ)
    return {name: value for name, value in environ.items() if value and is_setting(name)}


def is_setting(name: str) -> bool:
    """Whether a process of the platform may read the variable."""
    return name in _KNOWN_SETTINGS or name.startswith((ROUTER_PREFIX, OPENTELEMETRY_PREFIX))


def build_subgraph_urls(settings: Mapping[str, str]) -> dict[str, str]:
    """Build the URL of each subgraph, from its port unless it is set."""
    return {
        domain.url_variable: settings.get(domain.url_variable)
        or f"http://127.0.0.1:{settings.get(domain.port_variable, domain.port)}/graphql"
        for domain in DOMAINS.values()
    }


def build_subgraph_environ(name: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Build the environment of a subgraph, with only its own database password."""
    domain = DOMAINS[name]
    names = [
        *COMMON_SETTINGS,
        *STORE_SETTINGS,
        *SERVICE_SETTINGS,
        domain.password_variable,
        *domain.variables,
        *_select_by_prefix(OPENTELEMETRY_PREFIX, settings),
    ]
    return _select(names, settings)


def build_worker_environ(settings: Mapping[str, str], metrics_port: int) -> dict[str, str]:
    """Build the environment of a worker, which runs the jobs of all domains."""
    own = (
        variable
        for domain in DOMAINS.values()
        for variable in domain.variables
        if variable not in map(domain.settings.get_variable, domain.secrets)
    )
    names = [*COMMON_SETTINGS, *STORE_SETTINGS, *WORKER_SETTINGS, *PASSWORD_SETTINGS, *own]
    own_telemetry = _select_by_prefix(OPENTELEMETRY_PREFIX, settings)
    return _select([*names, *own_telemetry], settings) | {"WORKER_METRICS_PORT": str(metrics_port)}


def build_router_environ(settings: Mapping[str, str]) -> dict[str, str]:
    """Build the environment of the router, without databases, stores and providers."""
    own = [*_select_by_prefix(ROUTER_PREFIX, settings), *_select_by_prefix(OPENTELEMETRY_PREFIX, settings)]
    return _select([*COMMON_SETTINGS, *own, "SERVICE_TOKEN", "SUPERGRAPH", *URL_SETTINGS], settings)


def build_migration_environ(settings: Mapping[str, str]) -> dict[str, str]:
    """Build the environment of the migrations, the only ones with the database owner's credentials."""
    return _select([*COMMON_SETTINGS, *STORE_SETTINGS, *OWNER_CREDENTIALS, *PASSWORD_SETTINGS], settings)


def _select_by_prefix(prefix: str, settings: Mapping[str, str]) -> list[str]:
    return [name for name in settings if name.startswith(prefix)]


def _select(names: list[str], settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    chosen = {name: settings[name] for name in names if name in settings}
    return inherited | MALLOC_SETTINGS | {"PYTHONUNBUFFERED": "1"} | chosen


_KNOWN_SETTINGS = {
    *COMMON_SETTINGS,
    *STORE_SETTINGS,
    *SERVICE_SETTINGS,
    *WORKER_SETTINGS,
    *OWNER_CREDENTIALS,
    *(variable for domain in DOMAINS.values() for variable in domain.variables),
    *PASSWORD_SETTINGS,
    *URL_SETTINGS,
    "SUPERGRAPH",
}
