"""`memorable jobs`: list, retry and discard the deliveries of messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from rich.table import Table as ScreenTable
from rich.text import Text
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from infra.console import console
from infra.domains import run_in_all_domains
from infra.errors import InfraError
from subgraphs.common import deliveries
from subgraphs.common.audit import OPERATOR, AuditEntry
from subgraphs.common.deliveries import Delivery, DeliveryState
from subgraphs.common.manifest import Domain
from subgraphs.common.unit_of_work import UnitOfWork

app = typer.Typer(help="List, retry and discard jobs and events.", no_args_is_help=True)

DeliveryId = Annotated[str, typer.Argument(metavar="ID", help="The id, as `memorable jobs list` shows it.")]
_MAX_LISTED = 1000


@app.command("list")
def list_jobs(
    state: Annotated[
        DeliveryState,
        typer.Option(case_sensitive=False, show_default=False, help="Their state; by default parked."),
    ] = DeliveryState.PARKED,
) -> None:
    """List the deliveries in a state: parked ones have failed too often and wait for someone to decide."""

    async def list_in_domain(uow: UnitOfWork, domain: Domain) -> list[Delivery]:
        table = domain.get_table("deliveries")
        return await deliveries.list_deliveries(uow.session, table, state, _MAX_LISTED)

    found = [delivery for listed in run_in_all_domains(list_in_domain).values() for delivery in listed]
    if not found:
        console.print(f"No job is {state.lower()}.")
        return
    console.print(_build_table(found))


@app.command()
def retry(delivery_id: DeliveryId) -> None:
    """Let a parked or refused delivery be tried again, beginning with its first attempt."""
    _change(delivery_id, deliveries.retry, "retry_job")
    console.print("The job will be tried again now.")


@app.command()
def discard(delivery_id: DeliveryId) -> None:
    """Delete a parked or refused delivery, which is then never tried again."""
    _change(delivery_id, deliveries.discard, "discard_job")
    console.print("The job is deleted.")


def _change(
    delivery_id: str, change: Callable[[AsyncSession, Table, str], Awaitable[bool]], action: str
) -> None:
    """Change a delivery in whichever domain it is, with an entry in the audit log."""

    async def change_in_domain(uow: UnitOfWork, domain: Domain) -> bool:
        if not await change(uow.session, domain.get_table("deliveries"), delivery_id):
            return False
        await uow.audit(AuditEntry(OPERATOR, action, delivery_id))
        return True

    if not any(run_in_all_domains(change_in_domain).values()):
        raise InfraError(f"No parked or refused job has the id {delivery_id}.")


def _build_table(found: list[Delivery]) -> ScreenTable:
    table = ScreenTable("queue", "attempts", "due", "last error")
    # Whoever retries or discards a job copies its id.
    table.add_column("id", overflow="fold")
    for delivery in found:
        due = delivery.due_at.strftime("%Y-%m-%d %H:%M:%S")
        # Brackets are markup in plain strings.
        error = Text(delivery.error or "")
        table.add_row(delivery.queue, str(delivery.attempts), due, error, Text(delivery.id))
    return table
