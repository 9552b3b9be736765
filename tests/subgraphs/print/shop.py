"""A print shop that can refuse jobs and lose connections."""

from datetime import timedelta

from subgraphs.common.runtime import Runtime
from subgraphs.print.providers.base import (
    ShopJob,
    ShopUnreachable,
    Submission,
    SubmissionRefused,
)
from subgraphs.print.providers.offline import OfflinePrintShop
from subgraphs.print.settings import Settings


class Shop(OfflinePrintShop):
    """The offline shop with a connection that can break; it records the submissions."""

    def __init__(self, runtime: Runtime) -> None:
        step = timedelta(seconds=runtime.get_settings(Settings).offline_print_step_seconds)
        super().__init__(runtime.database, runtime.clock, step)
        self.received: list[Submission] = []
        self.accepts = True
        self.answers = True

    async def submit(self, submission: Submission) -> ShopJob:
        self.received.append(submission)
        if not self.accepts and not self.answers:
            raise ShopUnreachable("connection refused")
        if not self.accepts:
            raise SubmissionRefused("We do not print this.")
        accepted = await super().submit(submission)
        if not self.answers:
            raise ShopUnreachable("connection reset")
        return accepted
