"""The environment of each process: the settings it needs and no others."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dotenv import dotenv_values

from infra.checkout import ROOT
from subgraphs.common.settings import DOMAINS, PORT_SETTINGS

ROUTER_PORT_SETTING = "API_PORT"
DEFAULT_PORTS = {
    ROUTER_PORT_SETTING: 3000,
    **{setting: 3001 + index for index, setting in enumerate(PORT_SETTINGS.values())},
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
    *("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB"),
    *("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB"),
    *("GRAPH_URL", "STORAGE_URL", "FILES_URL", "PUBLIC_URL", "FILE_SIGNING_KEY"),
)
PROVIDER_SETTINGS = {
    "ai": (
        "AI_GENERATIONS_PER_PARENT",
        *("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_TEXT_MODEL", "OPENAI_IMAGE_MODEL"),
        "STABLE_DIFFUSION_API_KEY",
    ),
    "orders": ("STRIPE_API_KEY",),
}


# Prefixes of the settings of the router, of OpenTelemetry, and of the offline providers.
ROUTER_PREFIX, OPENTELEMETRY_PREFIX, OFFLINE_PREFIX = "ROUTER_", "OTEL_", "OFFLINE_"
OWNER_CREDENTIALS = ("POSTGRES_USER", "POSTGRES_PASSWORD")


def configured_settings() -> dict[str, str]:
    """The platform's settings from the environment or else `.env`; empty values count as unset."""
    environ = dotenv_values(ROOT / ".env") | dict(os.environ)
    return {name: value for name, value in environ.items() if value and _is_setting(name)}


def _is_setting(name: str) -> bool:
    return name in _KNOWN_SETTINGS or name.startswith((ROUTER_PREFIX, OPENTELEMETRY_PREFIX, OFFLINE_PREFIX))


def password_setting(domain: str) -> str:
    """The setting that holds the password of the domain's database role."""
    return f"{domain.upper()}_POSTGRES_PASSWORD"


def url_setting(domain: str) -> str:
    """The setting that holds the URL of the domain's subgraph."""
    return f"{domain.upper()}_URL"


def subgraph_environ(domain: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a subgraph, with its own database password only."""
    names = [
        *COMMON_SETTINGS,
        *STORE_SETTINGS,
        *SERVICE_SETTINGS,
        *_with_prefix(OFFLINE_PREFIX, settings),
        password_setting(domain),
        *PROVIDER_SETTINGS.get(domain, ()),
    ]
    if domain == "auth":
        names.append("AUTH_SIGNING_KEY_FILE")
    return _select(names, settings)


def worker_environ(settings: Mapping[str, str], metrics_port: int) -> dict[str, str]:
    """The environment of a worker, which runs the jobs of all domains."""
    passwords = map(password_setting, DOMAINS)
    keys = (name for names in PROVIDER_SETTINGS.values() for name in names)
    names = [*COMMON_SETTINGS, *STORE_SETTINGS, *_with_prefix(OFFLINE_PREFIX, settings), *passwords, *keys]
    return _select(names, settings) | {"WORKER_METRICS_PORT": str(metrics_port)}


def router_environ(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the router: no databases, stores or providers."""
    # The error messages of our own subgraphs are meant for clients.
    settings = {"ROUTER_INCLUDE_SUBGRAPH_ERRORS": ",".join(DOMAINS), **settings}
    own = [*_with_prefix(ROUTER_PREFIX, settings), *_with_prefix(OPENTELEMETRY_PREFIX, settings)]
    return _select(
        [*COMMON_SETTINGS, *own, "SERVICE_TOKEN", "SUPERGRAPH", *map(url_setting, DOMAINS)], settings
    )


def migration_environ(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the migrations, which alone receive the database owner's credentials."""
    passwords = map(password_setting, DOMAINS)
    return _select([*COMMON_SETTINGS, *STORE_SETTINGS, *OWNER_CREDENTIALS, *passwords], settings)


def _with_prefix(prefix: str, settings: Mapping[str, str]) -> list[str]:
    return [name for name in settings if name.startswith(prefix)]


def _select(names: list[str], settings: Mapping[str, str]) -> dict[str, str]:
    machine = {name: os.environ[name] for name in INHERITED if name in os.environ}
    chosen = {name: settings[name] for name in names if name in settings}
    return machine | MALLOC_SETTINGS | {"PYTHONUNBUFFERED": "1"} | chosen


_KNOWN_SETTINGS = {
    *COMMON_SETTINGS,
    *STORE_SETTINGS,
    *SERVICE_SETTINGS,
    *OWNER_CREDENTIALS,
    *(name for names in PROVIDER_SETTINGS.values() for name in names),
    *map(password_setting, DOMAINS),
    *map(url_setting, DOMAINS),
    "AUTH_SIGNING_KEY_FILE",
    "SUPERGRAPH",
}
