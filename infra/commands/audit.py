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

    table = Table("domain", "entries", "last hash")
    for domain, (count, last_hash) in run_in_all_domains(verify_domain).items():
        table.add_row(domain, str(count), last_hash)
    console.print(table)
