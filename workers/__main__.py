"""Run a worker: `python -m workers`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping

import uvloop
from prometheus_client import start_http_server

from subgraphs.common import garbage
from subgraphs.common.settings import DomainSettings, Settings
from subgraphs.common.telemetry import configure_logging, logger
from subgraphs.domains import load_worker_settings
from workers.platform import open_platform
from workers.registry import REGISTRY, load_tasks
from workers.relay import Relay
from workers.settings import create_worker, keep_marks, open_queue, stop


async def work(settings: Settings, of_domains: Mapping[str, DomainSettings]) -> None:
    """Do jobs and relay outboxes until SIGTERM or SIGINT; a running job then returns to the queue."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    queue = await open_queue(settings)
    async with open_platform(of_domains) as platform:
        worker = create_worker(platform, queue, REGISTRY)
        running = asyncio.create_task(worker.async_run())
        beside = [
            asyncio.create_task(keep_marks(worker)),
            asyncio.create_task(Relay(platform, queue, REGISTRY).run()),
        ]
        logger().info("Worker ready", handlers=len(REGISTRY.handlers))
        stopping = asyncio.create_task(stopped.wait())
        done, _ = await asyncio.wait([running, *beside, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in [*beside, stopping]:
            task.cancel()
        await asyncio.gather(*beside, stopping, return_exceptions=True)
        await stop(worker, running)
        for task in done:
            task.result()


def main() -> int:
    """Load every domain's tasks and work until a signal."""
    settings, of_domains = load_worker_settings()
    configure_logging("worker", settings.log_level)
    load_tasks()
    if settings.worker_metrics_port is not None:
        start_http_server(settings.worker_metrics_port, addr=settings.metrics_host)
    garbage.tune()
    uvloop.run(work(settings, of_domains))
    return 0


if __name__ == "__main__":
    sys.exit(main())
