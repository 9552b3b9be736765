"""The DataLoaders of one request."""

from __future__ import annotations

from collections.abc import Sequence

from strawberry.dataloader import DataLoader

from subgraphs.common.identity import Identity
from subgraphs.common.loaders import bind_owner, create_loader
from subgraphs.common.runtime import Runtime
from subgraphs.print import repository
from subgraphs.print.models import PrintJob, PrintJobTransition


class Loaders:
    """The loaders of one request; they do not find what belongs to anyone but the caller."""

    def __init__(self, runtime: Runtime, caller: Identity | None) -> None:
        database = runtime.database
        owner_id = caller.user_id if caller else ""

        self.job: DataLoader[str, PrintJob | None] = create_loader(
            database, bind_owner(repository.load_jobs, owner_id), None
        )
        self.job_of_order: DataLoader[str, PrintJob | None] = create_loader(
            database, bind_owner(repository.load_jobs_of_orders, owner_id), None
        )
        self.transitions_of_job: DataLoader[str, Sequence[PrintJobTransition]] = create_loader(
            database, repository.load_transitions_of_jobs, ()
        )
