"""Making an account, and finding it again by its credentials."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Self

from subgraphs.auth import passwords, repository
from subgraphs.auth.errors import EmailTaken, InvalidCredentials
from subgraphs.auth.events import UserSignedUp
from subgraphs.auth.models import User
from subgraphs.common.database import Database
from subgraphs.common.errors import BadUserInput
from subgraphs.common.ids import new_id
from subgraphs.common.invisible import without_hidden
from subgraphs.common.unit_of_work import UnitOfWork
from subgraphs.common.validation import clean_text

PARENT_SCOPES = ["parent"]

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(\.[^@\s\x00-\x1f\x7f.]+)+")
_LONGEST_EMAIL = 254
# Composed and trimmed, an address may be shorter than it came.
_LONGEST_RAW_EMAIL = 2 * _LONGEST_EMAIL


@dataclass(frozen=True, slots=True)
class NewAccount:
    """The details of an account to be made, checked, with the password hashed."""

    email: str
    display_name: str
    password_hash: str = field(repr=False)

    @classmethod
    async def of(cls, email: str, password: str, display_name: str) -> Self:
        """Check what a parent typed; BadUserInput with the field that cannot be accepted."""
        address, name = new_email(email), clean_text("displayName", display_name, longest=80)
        return cls(address, name, await passwords.hash_password(passwords.acceptable(password)))


def normal_email(email: str) -> str:
    """The form in which addresses are compared; empty for a text that is too long to be one."""
    if len(email) > _LONGEST_RAW_EMAIL:
        return ""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def new_email(email: str) -> str:
    """A normalised address that mail can be sent to; BadUserInput when it cannot be one."""
    address = normal_email(email)
    hidden = without_hidden(address) != address
    if len(address) > _LONGEST_EMAIL or hidden or not _EMAIL.fullmatch(address):
        raise BadUserInput("email", "email must be an e-mail address, such as ana@example.org.")
    return address


async def sign_up(uow: UnitOfWork, account: NewAccount) -> User:
    """Make an account; EmailTaken when there is one with this address."""
    user = User(
        id=new_id("usr"),
        email=account.email,
        display_name=account.display_name,
        password_hash=account.password_hash,
        scopes=PARENT_SCOPES,
        created_at=uow.now,
    )
    if not await repository.add_user(uow.session, user):
        raise EmailTaken
    await uow.publish(UserSignedUp(user.id))
    return user


async def check_credentials(database: Database, email: str, password: str) -> User:
    """The account of these credentials; InvalidCredentials, after the same work, when there is none."""
    async with database.read() as session:
        user = await repository.user_by_email(session, normal_email(email))
    # Hashing takes its time: no connection is held meanwhile.
    if not await passwords.matches(password, user.password_hash if user else None) or user is None:
        raise InvalidCredentials
    return user
