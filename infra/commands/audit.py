"""`memorable audit`: verify the audit logs."""

from __future__ import annotations

import typer
from rich.table import Table

from infra.console import console
from infra.domains import run_in_all_domains
from infra.errors import InfraError
from subgraphs.common import audit
from subgraphs.common.audit import BrokenChain
from subgraphs.common.manifest import Domain
from subgraphs.common.unit_of_work import UnitOfWork

app = typer.Typer(help="Verify the audit logs.", no_args_is_help=True)


@app.callback()
def main() -> None:
    """Keep `verify` a subcommand."""


@app.command()
def verify() -> None:
    """Check that no entry of a domain's audit log was changed, removed or inserted."""

    async def verify_domain(uow: UnitOfWork, domain: Domain) -> tuple[int, str]:
        try:
            return await audit.verify(uow.session, domain.get_table("audit"))
        except BrokenChain as broken:
            raise InfraError(f"The audit log of {domain.name} is broken: {broken}.") from broken

    verified = run_in_all_domains(verify_domain)
    table = Table("domain", "entries")
    # Whoever keeps the last hash elsewhere copies it.
    table.add_column("last hash", overflow="fold")
    for domain, (count, last_hash) in verified.items():
        table.add_row(domain, str(count), last_hash if count else "")
    console.print(table)
    total = sum(count for count, _ in verified.values())
    if total == 0:
        console.print("The audit logs are intact, and empty.")
        return
    console.print(
        f"The audit logs are intact: {total} {'entry' if total == 1 else 'entries'}, all as written."
    )
    console.print(
        "Keep the last hashes elsewhere: only they can show that the newest entries are not missing."
    )
