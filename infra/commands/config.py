"""`memorable config`: show the settings that are in force."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import typer
from pydantic import BaseModel, SecretStr
from pydantic_core import to_jsonable_python
from rich.text import Text

from infra.checkout import DATA_DIR, ENV_FILE
from infra.console import console
from infra.errors import InfraError
from infra.local import environment
from infra.local.state import PlatformState, find_platform_state, load_settings
from router.config.settings import (
    CONFIG_VARIABLE,
    GROUPS,
    InvalidSettingError,
    Settings,
    list_names,
    load,
    read_config_file,
)
from router.config.settings import MAY_BE_SECRET as SECRETS_OF_ROUTER
from subgraphs.common.settings import InvalidSettings, read_settings
from subgraphs.domains import DOMAINS, fill_in_urls

app = typer.Typer(help="Show the settings that are in force.", no_args_is_help=True)

_DEFAULT: Final = "default"
_PLATFORM: Final = "running platform"
_HIDDEN: Final = "(hidden)"
_COLUMN: Final = 56
"""Where the sources begin, unless a value is longer."""

# The platform chooses these for each process.
_PORTS_OF_METRICS: Final = ("METRICS_PORT", "WORKER_METRICS_PORT")
# What is in force where a setting of the router is not set.
_UNSET: Final = {
    "jwks_url": "default_jwks_url",
    "router_explorer": "explorer",
    "router_hsts_seconds": "hsts_seconds",
    "router_include_subgraph_errors": "exposed_subgraphs",
    "router_shutdown_timeout": "shutdown_seconds",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable with its value, as `.env` would have it, and where that comes from."""

    variable: str
    value: str
    source: str

    def render(self) -> Text:
        """Render a line of `.env`, with the source as a comment."""
        line = f"{self.variable}={self.value}"
        style = "dim" if self.source == _DEFAULT else ""
        return Text.assemble((f"{line:<{_COLUMN}}", style), (f"  # {self.source}", "dim"))


@app.callback()
def main() -> None:
    """Keep `show` a subcommand."""


@app.command()
def show() -> None:
    """Show every setting as `.env` would have it, and where it comes from; secrets are hidden."""
    running = find_platform_state(DATA_DIR)
    sources = _apply_settings(running)
    console.print(f"# {_describe(running)}", style="dim", soft_wrap=True)
    settings = {setting.variable: setting for setting in list_settings(sources)}
    if running is not None:
        settings |= {name: Setting(name, "(one for each process)", _PLATFORM) for name in _PORTS_OF_METRICS}
    for name in sorted(settings):
        console.print(settings[name].render(), soft_wrap=True)


def _apply_settings(running: PlatformState | None) -> dict[str, str]:
    """Set the variables of this process to what is in force; return the sources of those that are set."""
    given = environment.read_settings()
    sources = {name: "environment" if os.environ.get(name) else ".env" for name in given}
    chosen = load_settings(DATA_DIR, running) if running is not None else {}
    sources |= {name: _PLATFORM for name, value in chosen.items() if given.get(name) != value}
    os.environ.update(given | chosen)
    return sources


def _describe(running: PlatformState | None) -> str:
    if running is None:
        return "No platform is running. `make run` chooses the servers and secrets that are not set here."
    return f"The platform runs as process {running.pid}. What it has not chosen is as this terminal sees it."


def list_settings(sources: Mapping[str, str]) -> list[Setting]:
    """List every variable that the platform reads, once; `sources` has those of the variables that are set.

    Raises:
        InfraError: Settings are not valid; the message names all of them.
    """
    if problems := _find_problems():
        raise InfraError("; ".join(problems))
    listed = (*_list_domains(sources), *_list_router(sources), *_list_others(sources))
    return list({setting.variable: setting for setting in listed}.values())


def _find_problems() -> list[str]:
    """Find what is wrong with the settings of all domains, most of which they share, and of the router."""
    problems: list[str] = []
    for domain in DOMAINS.values():
        try:
            read_settings(domain.settings, ())
        except InvalidSettings as invalid:
            problems += invalid.problems
    try:
        load()
    except InvalidSettingError as invalid:
        problems.append(str(invalid))
    return list(dict.fromkeys(problems))


def _list_router(sources: Mapping[str, str]) -> Iterator[Setting]:
    settings, places = load(), read_config_file().places
    for group in (settings, *(getattr(settings, name) for name in GROUPS)):
        for name, field in list_names(type(group)).items():
            source = sources.get(name.upper()) or places.get(name, _DEFAULT)
            value = _format(_get_value(settings, group, name, field))
            is_secret = field in SECRETS_OF_ROUTER and source != _DEFAULT and not _is_url(value)
            yield Setting(name.upper(), _HIDDEN if value and is_secret else value, source)


def _get_value(settings: Settings, group: Any, name: str, field: str) -> Any:
    value = getattr(group, field)
    return getattr(settings, _UNSET[name]) if value is None and name in _UNSET else value


def _list_domains(sources: Mapping[str, str]) -> Iterator[Setting]:
    for domain in DOMAINS.values():
        settings = fill_in_urls(read_settings(domain.settings, ()), os.environ)
        settings = settings.model_copy(update={"graph_url": settings.graph_address})
        for field in domain.settings.model_fields:
            variable = domain.settings.get_variable(field)
            yield Setting(variable, _format(getattr(settings, field)), sources.get(variable, _DEFAULT))


def _list_others(sources: Mapping[str, str]) -> Iterator[Setting]:
    """List what is no field of settings: addresses, files, the database's owner, what OpenTelemetry reads."""
    owner = {name: os.environ.get(name, value) for name, value in environment.OWNER_CREDENTIALS.items()}
    telemetry = {name: os.environ[name] for name in sources if name.startswith("OTEL_")}
    others = {
        **environment.build_subgraph_urls(os.environ),
        **owner,
        **telemetry,
        CONFIG_VARIABLE: os.environ.get(CONFIG_VARIABLE, ""),
    }
    for name, value in others.items():
        is_secret = "PASSWORD" in name or "HEADERS" in name
        shown = _HIDDEN if value and is_secret else _format(value)
        yield Setting(name, shown, sources.get(name, _DEFAULT))
    for name, path in (("MEMORABLE_DATA_DIR", DATA_DIR), ("MEMORABLE_ENV_FILE", ENV_FILE)):
        yield Setting(name, _format(path), "environment" if os.environ.get(name) else _DEFAULT)


def _format(value: Any) -> str:
    """Format a value as it is written in `.env`; what only the router's file can have, as JSON."""
    match value:
        case SecretStr():
            text = _HIDDEN if value.get_secret_value() else ""
        case None | "":
            text = ""
        case bool():
            text = str(value).lower()
        case float():
            text = str(value).removesuffix(".0")
        case Mapping() | [BaseModel(), *_]:
            text = json.dumps(to_jsonable_python(value, exclude_none=True))
        case tuple():
            text = ",".join(map(str, value))
        case _:
            text = _hide_credentials(str(value)) if _is_url(str(value)) else shlex.quote(str(value))
    return text


def _is_url(text: str) -> bool:
    return "://" in text and not text.startswith(("{", "["))


def _hide_credentials(url: str) -> str:
    """Hide the user, whose password may have a slash that is not escaped, and the query."""
    scheme, _, rest = url.partition("://")
    address, mark, _ = rest.partition("?")
    user, at, address = address.rpartition("@")
    return f"{scheme}://{_HIDDEN if user else ''}{at}{address}{mark}{_HIDDEN if mark else ''}"
