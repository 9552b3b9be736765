"""Run a worker: `python -m workers`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping

import uvloop
from prometheus_client import start_http_server

from subgraphs.common.garbage import tune_garbage_collector
from subgraphs.common.settings import DomainSettings, Settings
from subgraphs.common.telemetry import configure_logging, get_logger
from subgraphs.domains import load_worker_settings
from workers.arq_worker import create_worker, open_queue, renew_in_progress_marks, stop
from workers.platform import open_platform
from workers.registry import REGISTRY, load_tasks
from workers.relay import Relay


async def run(settings: Settings, domain_settings: Mapping[str, DomainSettings]) -> None:
    """Run jobs and relay outboxes until SIGTERM or SIGINT; unfinished jobs then return to the queue."""
    stop_requested = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    queue = await open_queue(settings)
    async with open_platform(domain_settings) as platform:
        worker = create_worker(platform, queue, REGISTRY)
        running = asyncio.create_task(worker.async_run())
        background = [
            asyncio.create_task(renew_in_progress_marks(worker)),
            asyncio.create_task(Relay(platform, queue, REGISTRY).run()),
        ]
        get_logger().info("Worker ready", handlers=len(REGISTRY.handlers))
        stopping = asyncio.create_task(stop_requested.wait())
        done, _ = await asyncio.wait([running, *background, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in [*background, stopping]:
            task.cancel()
        await asyncio.gather(*background, stopping, return_exceptions=True)
        await stop(worker, running)
        for task in done:
            task.result()


def main() -> int:
    """Register every domain's tasks and run the worker until it is stopped."""
    settings, domain_settings = load_worker_settings()
    configure_logging("worker", settings.log_level)
    load_tasks()
    if settings.worker_metrics_port is not None:
        start_http_server(settings.worker_metrics_port, addr=settings.metrics_host)
    tune_garbage_collector()
    uvloop.run(run(settings, domain_settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
