"""A worker that is killed by SIGKILL at the moment the print shop has accepted its job."""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from subgraphs.common.runtime import open_runtime
from subgraphs.domains import DOMAINS, load_worker_settings
from subgraphs.print import service
from subgraphs.print.providers.base import ShopJob, Submission
from subgraphs.print.providers.offline import OfflinePrintShop
from subgraphs.print.providers.registry import PROVIDERS
from tests.subgraphs.print.jobs import SHIPPING
from tests.support.providers import use_provider


class LastShop(OfflinePrintShop):
    """A shop that kills the process before its answer arrives."""

    async def submit(self, submission: Submission) -> ShopJob:
        accepted = await super().submit(submission)
        os.kill(os.getpid(), signal.SIGKILL)
        return accepted


async def main(job_id: str) -> None:
    async with open_runtime(DOMAINS["print"], load_worker_settings()[1]["print"]) as runtime:
        shop = LastShop(runtime.database, runtime.clock, timedelta(seconds=1))
        with use_provider(PROVIDERS, shop):
            await service.submit_print_job(runtime, job_id, 1, SHIPPING)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
