"""The manifest of a domain, by which the rest of the platform finds its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from subgraphs.common.settings import DomainSettings

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain: the package `subgraphs.<name>` and, if it has tasks, the module `workers.<name>`.

    Manifests are cheap to import: tables, schema and application are imported when they are first used.
    `secrets` are the settings with secrets that only its subgraph needs. `serves` has the URLs beside the
    graph that other processes use, by the setting for them; `{port}` stands for the port of the subgraph.
    `paths` are those of its subgraph that the router passes on to it, with what is below them.
    """

    name: str
    settings: type[DomainSettings]
    secrets: tuple[str, ...] = ()
    serves: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()

    @property
    def port(self) -> int:
        """The default port of its subgraph."""
        return int(self.settings.model_fields["port"].default)

    @property
    def port_variable(self) -> str:
        """The environment variable that sets the port of its subgraph."""
        return self.settings.get_variable("port")

    @property
    def password_variable(self) -> str:
        """The environment variable that holds the password of its database role."""
        return self.settings.get_variable("postgres_password")

    @property
    def url_variable(self) -> str:
        """The environment variable that holds the URL of its subgraph for the router."""
        return f"{self.name.upper()}_URL"

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that only it reads, except its port and its password."""
        own = [name for name in self.settings.model_fields if name not in DomainSettings.model_fields]
        return tuple(map(self.settings.get_variable, own))

    @property
    def role(self) -> str:
        """The PostgreSQL role that owns its schema."""
        return f"memorable_{self.name}"

    @property
    def metadata(self) -> MetaData:
        """Its tables, in the PostgreSQL schema with its name."""
        metadata: MetaData = self._import("models").Table.metadata
        return metadata

    def get_table(self, name: str) -> Table:
        """Return one of its tables by its name."""
        return self.metadata.tables[f"{self.name}.{name}"]

    @property
    def schema(self) -> Any:
        """Its GraphQL schema, a Strawberry schema."""
        return self._import("schema").schema

    @property
    def webhook_sources(self) -> Mapping[str, Any]:
        """The senders of webhooks that it receives, each a `WebhookSource`, by name."""
        receives = any(path.startswith("/webhooks/") for path in self.paths)
        sources: Mapping[str, Any] = self._import("webhooks").SOURCES if receives else {}
        return sources

    def create_app(self, settings: DomainSettings) -> Any:
        """Create its subgraph, a Starlette application."""
        return self._import("app").create_app(settings)

    def _import(self, module: str) -> Any:
        return import_module(f"subgraphs.{self.name}.{module}")
