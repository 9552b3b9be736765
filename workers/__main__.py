"""Run a worker: `python -m workers`, of all queues or of those in `--queues`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Collection, Mapping, Sequence

import uvloop
from prometheus_client import start_http_server

from subgraphs.common.garbage import tune_garbage_collector
from subgraphs.common.settings import DomainSettings, Settings
from subgraphs.common.telemetry import configure_logging, get_logger
from subgraphs.common.tracing import record_spans
from subgraphs.domains import load_worker_settings
from workers import queues
from workers.arq_worker import open_queue, run_queue
from workers.platform import Platform, open_platform
from workers.registry import REGISTRY, load_tasks
from workers.relay import Relay
from workers.runner import Runner
from workers.statistics import report_statistics


async def run(
    settings: Settings, domain_settings: Mapping[str, DomainSettings], names: Collection[str]
) -> None:
    """Run the deliveries of some queues, and relay, until SIGTERM or SIGINT; then finish what has begun.

    What takes longer than WORKER_DRAIN_SECONDS, or until a second signal, is released for other workers.
    """
    stop_requested, hurry_requested = asyncio.Event(), asyncio.Event()

    def request_stop() -> None:
        (hurry_requested if stop_requested.is_set() else stop_requested).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, request_stop)
    async with open_platform(domain_settings) as platform:
        runner = Runner(platform, REGISTRY)
        tasks = [
            *(asyncio.create_task(run_queue(runner, settings, name)) for name in names),
            asyncio.create_task(runner.renew_leases()),
            asyncio.create_task(run_relay(platform, settings)),
            asyncio.create_task(report_statistics(platform)),
            asyncio.create_task(stop_requested.wait()),
        ]
        get_logger().info("Worker ready", handlers=len(REGISTRY.handlers), queues=list(names))
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if stop_requested.is_set():
            platform.draining.set()
            ends = [
                asyncio.create_task(runner.finish(settings.worker_drain_seconds)),
                asyncio.create_task(hurry_requested.wait()),
            ]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            tasks += ends
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()


async def run_relay(platform: Platform, settings: Settings) -> None:
    """Run the relay with a connection of its own until cancelled."""
    connection = open_queue(settings)
    try:
        await Relay(platform, connection, REGISTRY).run()
    finally:
        await connection.aclose(close_connection_pool=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Register every domain's tasks and run the worker until it is stopped."""
    names = _parse_queues(arguments)
    settings, domain_settings = load_worker_settings()
    configure_logging("worker", settings.log_level)
    load_tasks()
    if settings.worker_metrics_port is not None:
        start_http_server(settings.worker_metrics_port, addr=settings.metrics_host)
    tune_garbage_collector()
    with record_spans("worker"):
        uvloop.run(run(settings, domain_settings, names))
    return 0


def _parse_queues(arguments: Sequence[str] | None) -> list[str]:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    known = ",".join(queues.CONCURRENCY)
    parser.add_argument("--queues", default=known, help=f"queues, separated by commas; by default {known}")
    names = [name.strip() for name in str(parser.parse_args(arguments).queues).split(",")]
    if unknown := [name for name in names if name not in queues.CONCURRENCY]:
        parser.error(f"there is no queue {' or '.join(map(repr, unknown))}; the queues are {known}")
    return list(dict.fromkeys(names))


if __name__ == "__main__":
    sys.exit(main())
