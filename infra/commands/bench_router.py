"""`memorable bench-router`: measure the router alone on one wide query."""

from __future__ import annotations

import asyncio
import platform
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from infra.bench.router.load import CONCURRENCY
from infra.bench.router.measure import Figures, measure
from infra.console import console, print_status


def bench_router(
    requests: Annotated[int, typer.Option(min=40, help="Number of measured requests.")] = 500,
) -> None:
    """Measure the router alone: CPU, throughput, latency, fetches and memory for one wide query."""
    console.print(f"{platform.platform()}, Python {platform.python_version()}", style="dim")
    print_status(
        "bench",
        f"sending {requests} requests over {CONCURRENCY} connections, each request by a different caller",
    )
    with tempfile.TemporaryDirectory(prefix="memorable-bench-") as folder:
        _show(asyncio.run(measure(Path(folder), requests)))


def _show(figures: Figures) -> None:
    table = Table(
        "", "", title="A query over four subgraphs", title_justify="left", show_header=False, min_width=60
    )
    table.columns[1].justify = "right"
    table.add_row("router CPU per 1000 requests", f"{figures.cpu_seconds_per_thousand:.2f} s")
    table.add_row("requests per second", f"{figures.requests_per_second:.0f}")
    table.add_row("response time, median", f"{figures.median_milliseconds:.1f} ms")
    table.add_row("response time, p95", f"{figures.p95_milliseconds:.1f} ms")
    for load, latencies in (
        ("sequential", figures.undisturbed),
        ("sequential, while planning new queries", figures.disturbed),
    ):
        table.add_row(f"{load}: p99", f"{latencies.p99:.1f} ms")
        table.add_row(f"{load}: max", f"{latencies.max:.1f} ms")
    table.add_row("fetches per request", f"{figures.fetches_per_request:g}")
    table.add_row("resident memory", f"{figures.mebibytes:.0f} MiB")
    console.print(table)
