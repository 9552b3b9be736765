"""`memorable config`: show the settings that are in force."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import typer
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from rich.table import Table

from infra.console import console
from infra.errors import InfraError
from infra.local import environment
from router.config.settings import GROUPS, InvalidSettingError, list_names, load, read_config_file
from router.config.settings import MAY_BE_SECRET as SECRETS_OF_ROUTER
from subgraphs.common.settings import InvalidSettings, read_settings
from subgraphs.domains import DOMAINS

app = typer.Typer(help="Show the settings that are in force.", no_args_is_help=True)

_HIDDEN: Final = "(hidden)"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it is shown, and where it comes from."""

    variable: str
    value: str
    source: str


@app.callback()
def main() -> None:
    """Keep `show` a subcommand."""


@app.command()
def show() -> None:
    """Show the settings of the router and of each domain with their sources; secrets are hidden."""
    own = set(os.environ)
    os.environ.update(environment.read_settings())
    sources = {name: "environment" if name in own else ".env" for name in os.environ}
    table = Table("setting", "value", "source")
    for setting in sorted(_list_settings(sources), key=lambda setting: setting.variable):
        table.add_row(setting.variable, setting.value, setting.source)
    console.print(table)


def _list_settings(sources: Mapping[str, str]) -> list[Setting]:
    """List every setting once.

    Raises:
        InfraError: Settings are not valid.
    """
    try:
        found = {setting.variable: setting for setting in (*_list_domains(sources), *_list_router(sources))}
    except (InvalidSettingError, InvalidSettings) as error:
        raise InfraError(str(error)) from None
    return list(found.values())


def _list_router(sources: Mapping[str, str]) -> Iterator[Setting]:
    settings, places = load(), read_config_file().places
    groups: list[BaseSettings] = [settings, *(getattr(settings, name) for name in GROUPS)]
    for group in groups:
        for name, field in list_names(type(group)).items():
            value = _format(getattr(group, field))
            source = sources.get(name.upper()) or places.get(name, "default")
            yield Setting(name.upper(), _HIDDEN if value and field in SECRETS_OF_ROUTER else value, source)


def _list_domains(sources: Mapping[str, str]) -> Iterator[Setting]:
    for domain in DOMAINS.values():
        settings = read_settings(domain.settings, ())
        for field in domain.settings.model_fields:
            variable = domain.settings.get_variable(field)
            yield Setting(variable, _format(getattr(settings, field)), sources.get(variable, "default"))


def _format(value: Any) -> str:
    if isinstance(value, SecretStr):
        return _HIDDEN if value.get_secret_value() else ""
    return "" if value is None else str(value)
