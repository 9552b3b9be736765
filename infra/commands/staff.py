"""`memorable staff`: grant and revoke the roles of staff."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from infra.console import console
from infra.domains import run_in_domain
from infra.errors import InfraError
from subgraphs.auth.service import staff
from subgraphs.auth.service.staff import RoleChange, StaffRole
from subgraphs.common.errors import NotFound
from subgraphs.common.manifest import Domain
from subgraphs.common.unit_of_work import UnitOfWork

app = typer.Typer(help="Grant and revoke the roles of staff.", no_args_is_help=True)

Email = Annotated[
    str,
    typer.Argument(metavar="EMAIL", help="The e-mail address of an account; staff sign up as parents do."),
]
Role = Annotated[StaffRole, typer.Option(help="What the person does.")]


@app.command()
def add(email: Email, role: Role) -> None:
    """Grant a role to an account; its scopes are in the tokens of the next sign-in or refresh."""
    change = _change(email, role, staff.grant_role)
    outcome = "now has" if change.is_effective else "already had"
    _report(change, f"{outcome} the role {role}")


@app.command()
def remove(email: Email, role: Role) -> None:
    """Revoke a role; tokens that have been issued keep its scope until they expire."""
    change = _change(email, role, staff.revoke_role)
    outcome = "no longer has" if change.is_effective else "did not have"
    _report(change, f"{outcome} the role {role}")


def _report(change: RoleChange, outcome: str) -> None:
    console.print(f"{change.email} {outcome}. Roles in force: {', '.join(change.roles) or 'none'}.")


def _change(
    email: str, role: StaffRole, change: Callable[[UnitOfWork, str, StaffRole], Awaitable[RoleChange]]
) -> RoleChange:
    async def change_in_auth(uow: UnitOfWork, _: Domain) -> RoleChange:
        try:
            return await change(uow, email, role)
        except NotFound:
            raise InfraError(f"No account has the address {email}.") from None

    return run_in_domain("auth", change_in_auth)
