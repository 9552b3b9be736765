"""The latency of a planned query while the router plans large new ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from statistics import quantiles

import orjson

from infra.bench.router.load import REQUEST_TIMEOUT, LoadGenerator
from infra.errors import InfraError
from router.transport.address import Address
from router.transport.http_client import HttpClient

REQUESTS = 300
CLIENTS = 4
ROOTS = 10
DEPTH = 17
BOOK_FIELDS = "isbn title pages weight postage copies"


@dataclass(frozen=True, slots=True)
class Latencies:
    """Latencies of the slowest requests in milliseconds."""

    p99: float
    max: float


async def measure_interference(
    client: HttpClient, url: Address, load: LoadGenerator
) -> tuple[Latencies, Latencies]:
    """Measure a planned query sequentially: first alone, then beside clients that send large new queries.

    Raises:
        InfraError: A response is not the expected one.
    """
    undisturbed = await load.run(REQUESTS, connections=1)
    numbers = count()
    async with asyncio.TaskGroup() as group:
        interfering = [group.create_task(_send_new_queries(client, url, numbers)) for _ in range(CLIENTS)]
        disturbed = await load.run(REQUESTS, connections=1)
        for task in interfering:
            task.cancel()
    return _summarise(undisturbed), _summarise(disturbed)


async def _send_new_queries(client: HttpClient, url: Address, numbers: Iterator[int]) -> None:
    for number in numbers:
        body = orjson.dumps({"query": _build_large_query(number)})
        response = await client.post(url, {"content-type": "application/json"}, body, REQUEST_TIMEOUT)
        if response.status != 200 or "errors" in orjson.loads(response.body):
            raise InfraError(f"The router answered {response.status}: {response.body[:300]!r}")


def _build_large_query(number: int) -> str:
    """Build a query near the router's limits that is expensive to plan and nearly free to execute."""
    nested = BOOK_FIELDS
    for _ in range(DEPTH):
        nested = f"{BOOK_FIELDS} neighbours {{ {nested} }}"
    roots = " ".join(f"news{root}: news @include(if: $all) {{ {nested} }}" for root in range(ROOTS))
    return f"query Large{number}($all: Boolean = false) {{ readers {{ id }} {roots} }}"


def _summarise(milliseconds: list[float]) -> Latencies:
    return Latencies(quantiles(milliseconds, n=100)[98], max(milliseconds))
