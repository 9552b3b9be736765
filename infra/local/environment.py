"""Which settings each process is given: its own and no other's."""

from __future__ import annotations

import os
from collections.abc import Mapping

from dotenv import dotenv_values

from infra.checkout import ROOT
from subgraphs.common.settings import DOMAINS, PORT_SETTINGS

ROUTER_PORT_SETTING = "API_PORT"
DEFAULT_PORTS = {
    ROUTER_PORT_SETTING: 3000,
    **{setting: 3001 + place for place, setting in enumerate(PORT_SETTINGS.values())},
}

# What a process needs of the machine: to find programs and certificates, and to be measured by the tests.
MACHINE = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"),
)
# Jobs use much memory for a moment, in many threads; without this glibc keeps most of it for good.
FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
COMMON = ("HOST", "METRICS_HOST", "ENVIRONMENT", "LOG_LEVEL", "JWT_ISSUER", "JWKS_URL", *DEFAULT_PORTS)
STORES = (
    *("POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB"),
    *("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB"),
    *("GRAPH_URL", "STORAGE_URL", "FILES_URL", "PUBLIC_URL", "FILE_SIGNING_KEY"),
)
PROVIDERS = {
    "ai": (
        *("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_TEXT_MODEL", "OPENAI_IMAGE_MODEL"),
        "STABLE_DIFFUSION_API_KEY",
    ),
    "orders": ("STRIPE_API_KEY",),
}


# Prefixes of the settings of the router, of OpenTelemetry, and of the offline studio and print shop.
ROUTER, OPENTELEMETRY, OFFLINE = "ROUTER_", "OTEL_", "OFFLINE_"
OWNER = ("POSTGRES_USER", "POSTGRES_PASSWORD")


def given_settings() -> dict[str, str]:
    """The platform's settings from the process environment, or else from `.env`; empty is not set."""
    everything = dotenv_values(ROOT / ".env") | dict(os.environ)
    return {name: value for name, value in everything.items() if value and _is_setting(name)}


def _is_setting(name: str) -> bool:
    return name in _KNOWN or name.startswith((ROUTER, OPENTELEMETRY, OFFLINE))


def password_setting(domain: str) -> str:
    """The setting that holds the password of the domain's database role."""
    return f"{domain.upper()}_POSTGRES_PASSWORD"


def url_setting(domain: str) -> str:
    """The setting that tells the router where the domain's subgraph is."""
    return f"{domain.upper()}_URL"


def subgraph_environ(domain: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of one subgraph: of the passwords, its own alone."""
    names = [
        *COMMON,
        *STORES,
        *_starting(OFFLINE, settings),
        password_setting(domain),
        *PROVIDERS.get(domain, ()),
    ]
    if domain == "auth":
        names.append("AUTH_SIGNING_KEY_FILE")
    return _only(names, settings)


def worker_environ(settings: Mapping[str, str], metrics_port: int) -> dict[str, str]:
    """The environment of a worker, which does the jobs of all domains."""
    passwords = map(password_setting, DOMAINS)
    keys = (name for names in PROVIDERS.values() for name in names)
    names = [*COMMON, *STORES, *_starting(OFFLINE, settings), *passwords, *keys]
    return _only(names, settings) | {"WORKER_METRICS_PORT": str(metrics_port)}


def router_environ(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the router: no database, no store, no provider."""
    own = [*_starting(ROUTER, settings), *_starting(OPENTELEMETRY, settings)]
    return _only([*COMMON, *own, "SUPERGRAPH", *map(url_setting, DOMAINS)], settings)


def migration_environ(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of the migrations, the only ones to know the database's owner."""
    passwords = map(password_setting, DOMAINS)
    return _only([*COMMON, *STORES, *OWNER, *passwords], settings)


def _starting(prefix: str, settings: Mapping[str, str]) -> list[str]:
    return [name for name in settings if name.startswith(prefix)]


def _only(names: list[str], settings: Mapping[str, str]) -> dict[str, str]:
    machine = {name: os.environ[name] for name in MACHINE if name in os.environ}
    chosen = {name: settings[name] for name in names if name in settings}
    return machine | FRUGAL | {"PYTHONUNBUFFERED": "1"} | chosen


_KNOWN = {
    *COMMON,
    *STORES,
    *OWNER,
    *(name for names in PROVIDERS.values() for name in names),
    *map(password_setting, DOMAINS),
    *map(url_setting, DOMAINS),
    "AUTH_SIGNING_KEY_FILE",
    "SUPERGRAPH",
}
