"""`memorable bench-router`: what one wide query costs the router, alone on a small workload."""

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
from infra.console import console, say


def bench_router(
    requests: Annotated[int, typer.Option(min=40, help="How many requests are measured.")] = 500,
) -> None:
    """Measure the router alone: CPU, throughput, latency, fetches and memory for one wide query."""
    console.print(f"{platform.platform()}, Python {platform.python_version()}", style="dim")
    say("bench", f"{requests} requests over {CONCURRENCY} connections, each of another caller")
    with tempfile.TemporaryDirectory(prefix="memorable-bench-") as folder:
        _show(asyncio.run(measure(Path(folder), requests)))


def _show(figures: Figures) -> None:
    table = Table(
        "", "", title="A query over four subgraphs", title_justify="left", show_header=False, min_width=60
    )
    table.columns[1].justify = "right"
    table.add_row("router CPU for 1000 requests", f"{figures.cpu_seconds_per_thousand:.2f} s")
    table.add_row("requests per second", f"{figures.requests_per_second:.0f}")
    table.add_row("answer time, median", f"{figures.median_milliseconds:.1f} ms")
    table.add_row("answer time, 95 of 100 below", f"{figures.p95_milliseconds:.1f} ms")
    for when, delays in ("alone", figures.undisturbed), ("while new ones are prepared", figures.disturbed):
        table.add_row(f"one at a time {when}, 99 of 100 below", f"{delays.p99:.1f} ms")
        table.add_row(f"one at a time {when}, longest", f"{delays.longest:.1f} ms")
    table.add_row("fetches per request", f"{figures.fetches_per_request:g}")
    table.add_row("memory", f"{figures.mebibytes:.0f} MiB")
    console.print(table)
