"""`memorable health`: check the readiness of every process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx2
import typer
from rich.table import Table

from infra.checkout import DATA_DIR
from infra.console import console
from infra.local import environment
from infra.local.state import find_platform_state
from subgraphs.domains import DOMAINS


@dataclass(frozen=True, slots=True)
class Health:
    """The health of one process."""

    name: str
    url: str
    is_ready: bool
    detail: str


def health() -> None:
    """Check the router, the subgraphs and the workers; exit code 1 if any is not ready."""
    reports = asyncio.run(_check_all(find_process_urls()))
    table = Table("process", "address", "health", "details")
    for report in reports:
        status = "[green]ready[/]" if report.is_ready else "[red]not ready[/]"
        table.add_row(report.name, report.url, status, report.detail)
    console.print(table)
    if not all(report.is_ready for report in reports):
        raise typer.Exit(1)


def find_process_urls() -> dict[str, str]:
    """Find the base URL of each process, from the running platform or else from the settings."""
    running = find_platform_state(DATA_DIR)
    if running is not None and running.urls:
        return dict(running.urls)
    settings = environment.DEFAULT_PORTS | environment.read_settings()
    ports = {"router": settings[environment.ROUTER_PORT_SETTING]}
    ports |= {domain: settings[DOMAINS[domain].port_variable] for domain in DOMAINS}
    return {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}


async def _check_all(urls: dict[str, str]) -> list[Health]:
    async with httpx2.AsyncClient(timeout=5) as client:
        return await asyncio.gather(*(_check(client, name, url) for name, url in urls.items()))


async def _check(client: httpx2.AsyncClient, name: str, url: str) -> Health:
    is_worker = name.startswith("worker")
    try:
        response = await client.get(f"{url}/metrics" if is_worker else f"{url}/health/ready")
    except httpx2.HTTPError as error:
        return Health(name, url, is_ready=False, detail=str(error) or type(error).__name__)
    report = {} if is_worker else response.json()
    checks = [f"{check} {outcome}" for check, outcome in report.get("checks", {}).items()]
    detail = ", ".join([*checks, *report.get("warnings", [])])
    return Health(name, url, is_ready=response.status_code == 200, detail=detail)
