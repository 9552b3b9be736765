"""How long a known query takes while large ones that the router has never seen arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from statistics import quantiles

import orjson

from infra.bench.router.load import PATIENCE, Load
from infra.errors import InfraError
from router.transport.address import Address
from router.transport.http_client import HttpClient

REQUESTS = 300
CLIENTS = 4
ROOTS = 10
DEPTH = 17
SHELVED = "isbn title pages weight postage copies"


@dataclass(frozen=True, slots=True)
class Delays:
    """What the slowest requests took, in milliseconds."""

    p99: float
    longest: float


async def delays(client: HttpClient, url: Address, load: Load) -> tuple[Delays, Delays]:
    """One known query after the other: first alone, then while large new ones are prepared all the time.

    Raises:
        InfraError: an answer is not the right one.
    """
    alone = await load.run(REQUESTS, connections=1)
    numbers = count()
    async with asyncio.TaskGroup() as group:
        new = [group.create_task(_ask(client, url, numbers)) for _ in range(CLIENTS)]
        beside = await load.run(REQUESTS, connections=1)
        for each in new:
            each.cancel()
    return _slowest(alone), _slowest(beside)


async def _ask(client: HttpClient, url: Address, numbers: Iterator[int]) -> None:
    for number in numbers:
        body = orjson.dumps({"query": _large(number)})
        answer = await client.post(url, {"content-type": "application/json"}, body, PATIENCE)
        if answer.status != 200 or "errors" in orjson.loads(answer.body):
            raise InfraError(f"The router answered {answer.status}: {answer.body[:300]!r}")


def _large(number: int) -> str:
    """A query near the router's limits that takes long to prepare, and next to nothing to run."""
    nested = SHELVED
    for _ in range(DEPTH):
        nested = f"{SHELVED} neighbours {{ {nested} }}"
    roots = " ".join(f"news{root}: news @include(if: $all) {{ {nested} }}" for root in range(ROOTS))
    return f"query Large{number}($all: Boolean = false) {{ readers {{ id }} {roots} }}"


def _slowest(milliseconds: list[float]) -> Delays:
    return Delays(quantiles(milliseconds, n=100)[98], max(milliseconds))
