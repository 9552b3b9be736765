"""`memorable health`: ask every process whether it is well."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx2
import typer
from rich.table import Table

from infra.checkout import DATA_DIR
from infra.console import console
from infra.local import environment
from infra.local.running import find_running
from subgraphs.domains import DOMAINS


@dataclass(frozen=True, slots=True)
class Answer:
    """What one process said of itself."""

    name: str
    url: str
    well: bool
    detail: str


def health() -> None:
    """Ask the router, the subgraphs and the workers; exit code 1 when one is not well."""
    answers = asyncio.run(_ask_all(addresses()))
    table = Table("process", "address", "health", "")
    for answer in answers:
        table.add_row(
            answer.name, answer.url, "[green]ready[/]" if answer.well else "[red]not ready[/]", answer.detail
        )
    console.print(table)
    if not all(answer.well for answer in answers):
        raise typer.Exit(1)


def addresses() -> dict[str, str]:
    """Where the processes are: as the running platform says, or else as the settings say."""
    running = find_running(DATA_DIR)
    if running is not None and running.urls:
        return dict(running.urls)
    settings = environment.DEFAULT_PORTS | environment.given_settings()
    ports = {"router": settings[environment.ROUTER_PORT_SETTING]}
    ports |= {domain: settings[DOMAINS[domain].port_variable] for domain in DOMAINS}
    return {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}


async def _ask_all(urls: dict[str, str]) -> list[Answer]:
    async with httpx2.AsyncClient(timeout=5) as client:
        return await asyncio.gather(*(_ask(client, name, url) for name, url in urls.items()))


async def _ask(client: httpx2.AsyncClient, name: str, url: str) -> Answer:
    is_worker = name.startswith("worker")
    try:
        answer = await client.get(f"{url}/metrics" if is_worker else f"{url}/health/ready")
    except httpx2.HTTPError as error:
        return Answer(name, url, well=False, detail=str(error) or type(error).__name__)
    checks = {} if is_worker else answer.json().get("checks", {})
    detail = ", ".join(f"{check} {outcome}" for check, outcome in checks.items())
    return Answer(name, url, well=answer.status_code == 200, detail=detail)
