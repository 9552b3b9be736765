"""Children: creating, updating and deleting their profiles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from subgraphs.books import events, jobs, repository
from subgraphs.books.models import Child
from subgraphs.books.service.versions import require_printable
from subgraphs.common.consent import CONSENTS, ConsentPurpose, require_consent
from subgraphs.common.errors import BadUserInput
from subgraphs.common.idempotency import Creation
from subgraphs.common.identity import Identity
from subgraphs.common.ids import new_id
from subgraphs.common.pronouns import Pronouns
from subgraphs.common.runtime import Runtime
from subgraphs.common.validation import clean_text

MAX_AGE_YEARS = 18
MAX_INTERESTS = 10
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_CONSENTS = f"query Consents {{ {CONSENTS} }}"


@dataclass(frozen=True, slots=True)
class ChildDetails:
    """A child's profile; in an update, None leaves a value as it is."""

    name: str | None
    birth_month: str | None
    pronouns: Pronouns | None
    appearance: str | None
    interests: Sequence[str] | None

    def normalize(self, now: datetime) -> dict[str, Any]:
        """Normalise the values that are not None; BadUserInput for the first that is not valid."""
        checks = {
            "name": _check_name,
            "birth_month": lambda value: _check_month(value, now),
            "pronouns": lambda value: value,
            "appearance": lambda value: clean_text(
                "appearance", value, max_length=500, min_length=0, lines=True
            ),
            "interests": _check_interests,
        }
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: checks[name](value) for name, value in given if value is not None}


async def create_child(
    runtime: Runtime, parent: Identity, details: ChildDetails, key: str | None = None
) -> Child:
    """Create a child's profile, once for each key; ConsentRequired without the parent's consent."""
    parent.require("parent")
    require_consent(await runtime.graph.query(parent, _CONSENTS, {}), ConsentPurpose.CHILD_PROFILE)
    creation = Creation.of(key, details)
    async with runtime.unit_of_work() as uow:
        profile = details.normalize(uow.now)
        if created := await repository.find_created_child(uow.session, parent.user_id, creation):
            return created
        child = Child(
            id=new_id("chd"),
            owner_id=parent.user_id,
            created_at=uow.now,
            **profile,
            **creation.columns,
        )
        uow.session.add(child)
    return child


async def update_child(runtime: Runtime, parent: Identity, child_id: str, details: ChildDetails) -> Child:
    """Update a child's profile; existing books are left as they are."""
    parent.require("parent")
    async with runtime.unit_of_work() as uow:
        child = await repository.lock_child(uow.session, parent.user_id, child_id)
        for name, value in details.normalize(uow.now).items():
            setattr(child, name, value)
    return child


async def delete_child(runtime: Runtime, parent: Identity, child_id: str) -> None:
    """Delete a child with all its books; their pictures and print files are deleted from the store later."""
    parent.require("parent")
    async with runtime.unit_of_work() as uow:
        child = await repository.lock_child(uow.session, parent.user_id, child_id)
        if keys := await repository.list_file_keys_of_child(uow.session, child_id):
            await uow.enqueue(jobs.DeleteFiles(tuple(keys)), owner_id=parent.user_id)
        await uow.session.delete(child)
        await uow.publish(events.ChildDeleted(child_id, parent.user_id))


def _check_name(value: str) -> str:
    return require_printable("name", clean_text("name", value, max_length=60))


def _check_month(value: str, now: datetime) -> str:
    if not _MONTH.fullmatch(value):
        raise BadUserInput("birthMonth", "birthMonth must be a year and a month, such as 2020-05.")
    earliest = f"{now.year - MAX_AGE_YEARS}-{now.month:02}"
    if not earliest <= value <= f"{now.year}-{now.month:02}":
        raise BadUserInput("birthMonth", f"birthMonth must be from {earliest} to this month.")
    return value


def _check_interests(values: Sequence[str]) -> list[str]:
    if len(values) > MAX_INTERESTS:
        raise BadUserInput("interests", f"At most {MAX_INTERESTS} interests can be given.")
    return [clean_text("interests", value, max_length=60) for value in values]
