"""The domains of the platform, found by their manifests, and the settings of their processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

import subgraphs
from subgraphs.common.manifest import Domain
from subgraphs.common.settings import (
    DomainSettings,
    InvalidSettings,
    Port,
    Settings,
    SettingsType,
    read_settings,
)

_SUBGRAPH_SECRETS: Final = ("postgres_password", "redis_password", "service_token")
_WORKER_SECRETS: Final = ("redis_password", "file_signing_key")
_PORT: Final[TypeAdapter[int]] = TypeAdapter(Port)


def _find_domains() -> dict[str, Domain]:
    packages = (module.name for module in iter_modules(subgraphs.__path__, "subgraphs.") if module.ispkg)
    manifests = (f"{package}.domain" for package in packages)
    found = [import_module(manifest).DOMAIN for manifest in manifests if find_spec(manifest)]
    return {domain.name: domain for domain in sorted(found, key=lambda domain: domain.port)}


DOMAINS: Final[Mapping[str, Domain]] = _find_domains()
"""All domains by name, in the order of their ports."""


def load_subgraph_settings(domain: Domain) -> DomainSettings:
    """Load the settings of a domain's subgraph from the environment; exit if they are not valid."""
    settings: DomainSettings
    [settings] = _load([(domain.settings, [*_SUBGRAPH_SECRETS, *domain.secrets])])
    return settings


def load_worker_settings() -> tuple[Settings, dict[str, DomainSettings]]:
    """Load the settings of a worker and of each domain from the environment; exit if they are not valid."""
    domain_settings = [(domain.settings, ["postgres_password"]) for domain in DOMAINS.values()]
    own, *others = _load([(Settings, _WORKER_SECRETS), *domain_settings])
    return own, dict(zip(DOMAINS, others, strict=True))


def fill_in_urls(settings: SettingsType, environ: Mapping[str, str]) -> SettingsType:
    """Fill in the URLs that domains serve beside the graph, if the settings have no others."""
    urls = {
        field: url.format(port=_read_port(domain, environ))
        for domain in DOMAINS.values()
        for field, url in domain.serves.items()
    }
    unset = {field: url for field, url in urls.items() if not getattr(settings, field)}
    return settings.model_copy(update=unset)


def _read_port(domain: Domain, environ: Mapping[str, str]) -> int:
    try:
        return _PORT.validate_python(environ.get(domain.port_variable) or domain.port)
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
        raise InvalidSettings([f"{domain.port_variable}: {problem['msg']}"]) from error


def _load(kinds: Sequence[tuple[type[Settings], Sequence[str]]]) -> list[Any]:
    """Read settings of several classes, each with its secrets; exit and name all invalid variables."""
    loaded: list[Any] = []
    problems: list[str] = []
    for kind, secrets in kinds:
        try:
            loaded.append(fill_in_urls(read_settings(kind, secrets), os.environ))
        except InvalidSettings as invalid:
            problems += invalid.problems
    if problems:
        sys.exit("The environment is not valid.\n  " + "\n  ".join(dict.fromkeys(problems)))
    return loaded
