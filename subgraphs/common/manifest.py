"""The manifest of a domain: what the rest of the platform knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from subgraphs.common.settings import DomainSettings

if TYPE_CHECKING:
    from sqlalchemy import MetaData


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain, which is the package `subgraphs.<name>` and, where it has tasks, the module `workers.<name>`.

    Manifests are cheap to import: tables, schema and application are imported when they are asked for.
    `secrets` are the settings that only its subgraph needs to keep secret. `serves` holds the addresses
    beside the graph that other processes read, by the setting that names them; `{port}` stands for its port.
    """

    name: str
    settings: type[DomainSettings]
    secrets: tuple[str, ...] = ()
    serves: Mapping[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """The default port of its subgraph."""
        return int(self.settings.model_fields["port"].default)

    @property
    def port_variable(self) -> str:
        """The environment variable that sets the port of its subgraph."""
        return self.settings.variable("port")

    @property
    def password_variable(self) -> str:
        """The environment variable that holds the password of its database role."""
        return self.settings.variable("postgres_password")

    @property
    def url_variable(self) -> str:
        """The environment variable by which the router knows its subgraph's endpoint."""
        return f"{self.name.upper()}_URL"

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that it alone reads, beside its port and its password."""
        own = [name for name in self.settings.model_fields if name not in DomainSettings.model_fields]
        return tuple(map(self.settings.variable, own))

    @property
    def role(self) -> str:
        """The PostgreSQL role that owns its schema."""
        return f"memorable_{self.name}"

    @property
    def metadata(self) -> MetaData:
        """Its tables, in the PostgreSQL schema of its name."""
        metadata: MetaData = self._import("models").Table.metadata
        return metadata

    @property
    def schema(self) -> Any:
        """Its part of the graph, a Strawberry schema."""
        return self._import("schema").schema

    def create_app(self, settings: DomainSettings) -> Any:
        """Make its subgraph, a Starlette application."""
        return self._import("app").create_app(settings)

    def _import(self, module: str) -> Any:
        return import_module(f"subgraphs.{self.name}.{module}")
