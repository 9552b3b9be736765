"""Accounts: signing up and signing in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from subgraphs.auth import passwords, repository
from subgraphs.auth.errors import EmailTaken, InvalidCredentials
from subgraphs.auth.models import User
from subgraphs.auth.service.sessions import SignedIn, open_session
from subgraphs.auth.settings import Settings
from subgraphs.common.errors import BadUserInput
from subgraphs.common.ids import new_id
from subgraphs.common.invisible import remove_invisible
from subgraphs.common.runtime import Runtime
from subgraphs.common.validation import clean_text

PARENT_SCOPES = ["parent"]

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(\.[^@\s\x00-\x1f\x7f.]+)+")
_MAX_EMAIL_LENGTH = 254
# NFKC and trimming may shorten an address.
_MAX_RAW_EMAIL_LENGTH = 2 * _MAX_EMAIL_LENGTH


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """The details of an account to create."""

    email: str
    password: str = field(repr=False)
    display_name: str


def normalize_email(email: str) -> str:
    """Normalise an e-mail address for comparison; return an empty text if it is too long."""
    if len(email) > _MAX_RAW_EMAIL_LENGTH:
        return ""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def check_email(email: str) -> str:
    """Return an e-mail address, normalised; BadUserInput when it is not valid."""
    address = normalize_email(email)
    has_invisible = remove_invisible(address) != address
    if len(address) > _MAX_EMAIL_LENGTH or has_invisible or not _EMAIL.fullmatch(address):
        raise BadUserInput("email", "email must be an e-mail address, such as ana@example.org.")
    return address


async def sign_up(runtime: Runtime, details: AccountDetails, user_agent: str | None) -> SignedIn:
    """Create an account and its first session; EmailTaken when there is an account with this address."""
    email = check_email(details.email)
    display_name = clean_text("displayName", details.display_name, max_length=80)
    password_hash = await passwords.hash_password(passwords.check_password(details.password))
    async with runtime.unit_of_work() as uow:
        user = User(
            id=new_id("usr"),
            email=email,
            display_name=display_name,
            password_hash=password_hash,
            scopes=PARENT_SCOPES,
            created_at=uow.now,
        )
        if not await repository.add_user(uow.session, user):
            raise EmailTaken
        return await open_session(uow, runtime.get_settings(Settings), user, user_agent)


async def sign_in(runtime: Runtime, email: str, password: str, user_agent: str | None) -> SignedIn:
    """Open a session; InvalidCredentials when the address or the password is wrong.

    It takes as long for an unknown address as for a wrong password.
    """
    async with runtime.database.read() as session:
        user = await repository.find_user_by_email(session, normalize_email(email))
    # Hashing is slow, so no connection is held meanwhile.
    if not await passwords.verify_password(password, user.password_hash if user else None) or user is None:
        raise InvalidCredentials
    async with runtime.unit_of_work() as uow:
        return await open_session(uow, runtime.get_settings(Settings), user, user_agent)
