"""`memorable health`: check the readiness of every process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
import typer
from rich.table import Table

from infra.checkout import DATA_DIR
from infra.console import console
from infra.errors import InfraError
from infra.local import environment
from infra.local.folder import DataFolder, is_locked
from infra.local.state import find_platform_state
from subgraphs.domains import DOMAINS


@dataclass(frozen=True, slots=True)
class Health:
    """The health of one process; without an answer, `detail` says why there is none."""

    name: str
    url: str
    detail: str
    is_ready: bool = False
    has_answered: bool = True


def health() -> None:
    """Check the router, the subgraphs and the workers; exit code 1 if any is not ready."""
    running = find_platform_state(DATA_DIR)
    known = running.urls if running is not None else {}
    reports = asyncio.run(_check_all(known or build_urls()))
    if not known and not any(report.has_answered for report in reports):
        raise InfraError(_explain_no_answer(has_servers=running is not None))
    table = Table("process", "URL", "health", "details")
    for report in reports:
        status = "[green]ready[/]" if report.is_ready else "[red]not ready[/]"
        table.add_row(report.name, report.url, status, report.detail)
    console.print(table)
    if not all(report.is_ready for report in reports):
        raise typer.Exit(1)


def _explain_no_answer(*, has_servers: bool) -> str:
    """Explain why no process of the platform has answered."""
    if has_servers:
        return (
            "Only PostgreSQL and Valkey are running. `memorable dev <service>` starts a process beside them."
        )
    if is_locked(DataFolder(DATA_DIR)):
        return "The platform is starting or stopping. Try again in some seconds."
    return "Nothing is running. `make run` starts the platform."


def build_urls() -> dict[str, str]:
    """Build the base URL of the router and of each subgraph from the settings."""
    settings = environment.DEFAULT_PORTS | environment.read_settings()
    ports = {"router": settings[environment.ROUTER_PORT_SETTING]}
    ports |= {domain: settings[DOMAINS[domain].port_variable] for domain in DOMAINS}
    return {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}


async def _check_all(urls: Mapping[str, str]) -> list[Health]:
    async with httpx2.AsyncClient(timeout=5) as client:
        return await asyncio.gather(*(_check(client, name, url) for name, url in urls.items()))


async def _check(client: httpx2.AsyncClient, name: str, url: str) -> Health:
    is_worker = name.startswith("worker")
    try:
        response = await client.get(f"{url}/metrics" if is_worker else f"{url}/health/ready")
        report = {} if is_worker else response.json()
    except httpx2.ConnectError:
        return Health(name, url, "nothing listens there", has_answered=False)
    except httpx2.HTTPError:
        return Health(name, url, "does not answer", has_answered=False)
    except ValueError:
        return Health(name, url, "another program listens there", has_answered=False)
    checks = [f"{check} {outcome}" for check, outcome in report.get("checks", {}).items()]
    detail = ", ".join([*checks, *report.get("warnings", [])])
    return Health(name, url, detail, is_ready=response.status_code == 200)
