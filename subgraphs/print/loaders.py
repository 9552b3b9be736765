"""The loaders of one request: one statement for each kind of thing that it asks for side by side."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from subgraphs.common.identity import Identity
from subgraphs.common.loaders import loader
from subgraphs.common.runtime import Runtime
from subgraphs.print import repository
from subgraphs.print.models import PrintJob, PrintJobTransition


class Loaders:
    """The loaders of one request; whatever is not the caller's is as if it were not there."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        owner_id = caller.user_id if caller else ""

        async def jobs(session: AsyncSession, ids: list[str]) -> Mapping[str, PrintJob | None]:
            return dict(await repository.jobs_by_id(session, owner_id, ids))

        async def jobs_of_orders(session: AsyncSession, ids: list[str]) -> Mapping[str, PrintJob | None]:
            return dict(await repository.jobs_by_order(session, owner_id, ids))

        async def histories(session: AsyncSession, ids: list[str]) -> Mapping[str, list[PrintJobTransition]]:
            return await repository.transitions(session, ids)

        self.jobs = loader(runtime.database, jobs, missing=None)
        self.jobs_of_orders = loader(runtime.database, jobs_of_orders, missing=None)
        self.histories: DataLoader[str, list[PrintJobTransition]] = loader(
            runtime.database, histories, missing=[]
        )
