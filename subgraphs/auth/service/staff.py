"""The roles of staff, which operators grant and revoke."""

from __future__ import annotations

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


async def grant_role(uow: UnitOfWork, email: str, role: StaffRole) -> User:
    """Grant a role to an account, whose next access tokens have its scope. NotFound for another address."""
    user = await repository.lock_user_by_email(uow.session, normalize_email(email))
    if role not in user.scopes:
        user.scopes = sorted({*user.scopes, STAFF_SCOPE, role.value})
        await uow.audit(AuditEntry(OPERATOR, "grant_role", user.id, user.id, role.value))
    return user


async def revoke_role(uow: UnitOfWork, email: str, role: StaffRole) -> User:
    """Revoke a role; an access token that has been issued keeps its scope for some minutes."""
    user = await repository.lock_user_by_email(uow.session, normalize_email(email))
    if role in user.scopes:
        scopes = set(user.scopes) - {role.value}
        user.scopes = sorted(scopes if scopes & set(StaffRole) else scopes - {STAFF_SCOPE})
        await uow.audit(AuditEntry(OPERATOR, "revoke_role", user.id, user.id, role.value))
    return user
