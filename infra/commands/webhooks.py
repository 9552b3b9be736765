"""`memorable webhooks`: list the receipts of webhooks, and run their jobs again."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table as ScreenTable
from rich.text import Text

from infra.console import console
from infra.domains import run_in_all_domains
from infra.errors import InfraError
from subgraphs.common import webhooks
from subgraphs.common.audit import OPERATOR, AuditEntry
from subgraphs.common.manifest import Domain
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.common.webhooks import Receipt, UnknownSource

app = typer.Typer(help="List and replay what providers have sent.", no_args_is_help=True)

_MAX_LISTED = 1000


@app.command("list")
def list_receipts() -> None:
    """List the receipts of webhooks, newest first."""

    async def list_in_domain(uow: UnitOfWork, domain: Domain) -> list[Receipt]:
        if not domain.webhook_sources:
            return []
        return await webhooks.list_receipts(uow.session, domain.get_table("webhook_receipts"), _MAX_LISTED)

    found = [receipt for listed in run_in_all_domains(list_in_domain).values() for receipt in listed]
    if not found:
        console.print("No webhook has been received.")
        return
    console.print(_build_table(sorted(found, key=lambda receipt: receipt.received_at, reverse=True)))


@app.command()
def replay(receipt_id: Annotated[str, typer.Argument(metavar="ID", help="As in the list.")]) -> None:
    """Run the job of a receipt again; it does nothing that has been done."""

    async def replay_in_domain(uow: UnitOfWork, domain: Domain) -> bool:
        if not domain.webhook_sources:
            return False
        receipt = await webhooks.find_receipt(uow.session, domain.get_table("webhook_receipts"), receipt_id)
        if receipt is None:
            return False
        try:
            source = webhooks.get_source(domain.webhook_sources, receipt.source)
        except UnknownSource as error:
            raise InfraError(str(error)) from None
        await uow.enqueue(source.build_job(receipt.id), owner_id=None)
        await uow.audit(AuditEntry(OPERATOR, "replay_webhook", receipt.id))
        return True

    if not any(run_in_all_domains(replay_in_domain).values()):
        raise InfraError(f"No webhook has the receipt {receipt_id}.")
    console.print("The webhook's job will run again now.")


def _build_table(found: list[Receipt]) -> ScreenTable:
    table = ScreenTable("received", "source", "type", "event")
    # Whoever replays a receipt copies its id.
    table.add_column("id", overflow="fold")
    for receipt in found:
        received = receipt.received_at.strftime("%Y-%m-%d %H:%M:%S")
        # Brackets are markup in plain strings.
        table.add_row(received, receipt.source, Text(receipt.type), Text(receipt.event_id), receipt.id)
    return table
