"""The roles of staff, which operators grant and revoke."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from subgraphs.auth import repository
from subgraphs.auth.models import User
from subgraphs.auth.service.accounts import normalize_email
from subgraphs.common.audit import OPERATOR, AuditEntry
from subgraphs.common.unit_of_work import UnitOfWork

STAFF_SCOPE: Final = "staff"
"""The scope of all staff; a member of staff has the scope of each role as well."""


class StaffRole(StrEnum):
    """What a member of staff does."""

    SUPPORT = "support"
    MODERATOR = "moderator"
    FINANCE = "finance"


@dataclass(frozen=True, slots=True)
class RoleChange:
    """The roles of an account after a change, and whether that changed any."""

    email: str
    roles: tuple[StaffRole, ...]
    is_effective: bool


async def grant_role(uow: UnitOfWork, email: str, role: StaffRole) -> RoleChange:
    """Grant a role to an account, whose next access tokens have its scope. NotFound for another address."""
    user = await repository.lock_user_by_email(uow.session, normalize_email(email))
    is_new = role not in user.scopes
    if is_new:
        user.scopes = sorted({*user.scopes, STAFF_SCOPE, role.value})
        await uow.audit(AuditEntry(OPERATOR, "grant_role", user.id, user.id, role.value))
    return RoleChange(user.email, _select_roles(user), is_new)


async def revoke_role(uow: UnitOfWork, email: str, role: StaffRole) -> RoleChange:
    """Revoke a role; an access token that has been issued keeps its scope for some minutes."""
    user = await repository.lock_user_by_email(uow.session, normalize_email(email))
    is_revoked = role in user.scopes
    if is_revoked:
        scopes = set(user.scopes) - {role.value}
        user.scopes = sorted(scopes if scopes & set(StaffRole) else scopes - {STAFF_SCOPE})
        await uow.audit(AuditEntry(OPERATOR, "revoke_role", user.id, user.id, role.value))
    return RoleChange(user.email, _select_roles(user), is_revoked)


def _select_roles(user: User) -> tuple[StaffRole, ...]:
    return tuple(role for role in StaffRole if role in user.scopes)
