"""The three measurements: idle watchers, many watchers of one book, and watchers beyond the limit.

A generation does not move while the worker is paused, so that all watchers come before its first event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import psutil

from infra.bench.parent import Parent
from infra.bench.streams.load import Load, LoadMeter
from infra.bench.streams.watchers import Crowd, Watcher, compute_spread, summarise
from infra.demo import documents
from infra.demo.client import GraphClient
from infra.errors import InfraError
from infra.local import Stack

GENERATIONS = 100
"""How many generations the watchers share; a parent may have no more waiting."""
CANCEL_GENERATION = "mutation CancelGeneration($id: ID!) { cancelGeneration(id: $id) { status } }"
QUERY_PAUSE_SECONDS = 0.05
QUERY_SECONDS = 2.0
_OTHER_CONNECTIONS = 100
_WISH = "to find out where the moon sleeps"


@dataclass(frozen=True, slots=True)
class IdleFigures:
    """What idle watchers cost; `kibibytes` is the memory of each, by process."""

    watchers: int
    load: Load
    kibibytes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FanOutFigures:
    """What watchers of one book cost while it is made, and how late the last of them is.

    The delays between the first watcher and the last are a median and a maximum of all events.
    """

    watchers: int
    events: int
    seconds: float
    delay_milliseconds: tuple[float, float]
    end_milliseconds: float
    load: Load


@dataclass(frozen=True, slots=True)
class AdmissionFigures:
    """What happens to watchers beyond the limit, and to the others; pairs are a median and a maximum.

    A watcher that comes together with those that are accepted is refused after them; the later ones come when
    the limit has been reached, and `refusal_cpu_milliseconds` is what one of these costs the router.
    """

    refusals: Mapping[str, int]
    refusal_milliseconds: tuple[float, float]
    later_refusal_milliseconds: tuple[float, float]
    refusal_cpu_milliseconds: float
    accepted: int
    completed: int
    query_before: tuple[float, float]
    query_during: tuple[float, float]
    query_after: tuple[float, float]
    accepted_again: int


def build_settings(watchers: int, beyond: int) -> dict[str, str]:
    """Build the settings by which a platform accepts so many watchers of one client, and no more."""
    connections = watchers + beyond + _OTHER_CONNECTIONS
    return {
        "AI_GENERATIONS_PER_PARENT": str(GENERATIONS),
        "ROUTER_MAX_SUBSCRIPTIONS": str(watchers),
        "ROUTER_MAX_SUBSCRIPTIONS_PER_CLIENT": str(watchers),
        "ROUTER_MAX_CLIENT_CONNECTIONS": str(connections),
        # One address may have half of them.
        "ROUTER_MAX_CONNECTIONS": str(2 * connections),
    }


def count_files(watchers: int, beyond: int) -> int:
    """Count the files that the router needs for them: a stream has two, that of its client and that of ai.

    It takes no more connections than it may open files, and one address may have half of them.
    """
    return 2 * (watchers + beyond + _OTHER_CONNECTIONS)


class StreamBench:
    """Measures live streams of a platform through its public endpoint, as one parent after another."""

    def __init__(self, stack: Stack, graph: GraphClient, meter: LoadMeter) -> None:
        self._graph = graph
        self._meter = meter
        self._parent = Parent(graph)
        self._port = urlsplit(stack.urls["router"]).port or 0
        self._worker = psutil.Process(stack.processes["worker"])

    @classmethod
    @asynccontextmanager
    async def of(cls, stack: Stack) -> AsyncIterator[Self]:
        """Open the connections that it needs."""
        graph = GraphClient(stack.graphql_url)
        try:
            async with LoadMeter.of(stack) as meter:
                yield cls(stack, graph, meter)
        finally:
            await graph.close()

    async def warm_up(self) -> None:
        """Make a book and watch it, so that everything has been used once."""
        await self._parent.sign_up()
        await self._parent.generate(await self._parent.create_book(_WISH))

    async def measure_idle(
        self, counts: Sequence[int], seconds: float, generations: int = GENERATIONS
    ) -> list[IdleFigures]:
        """Measure rising numbers of watchers, each another client, of generations that do not move.

        Raises:
            InfraError: A watcher was refused, or its stream has ended.
        """
        await self._parent.sign_up()
        figures: list[IdleFigures] = []
        with self._pause_worker():
            generation_ids = await self._start_generations(generations)
            await self._meter.settle()
            empty = self._meter.read_memory()
            async with self._gather() as crowd:
                for count in counts:
                    await crowd.open(generation_ids, count - len(crowd.watchers), are_alike=False)
                    await self._meter.settle()
                    load = await self._meter.measure(seconds)
                    _require_open(crowd)
                    memory = self._meter.read_memory()
                    each = {name: (memory[name] - empty[name]) / max(count, 1) for name in memory}
                    figures.append(IdleFigures(count, load, each))
            await self._cancel(generation_ids)
        return figures

    async def measure_fan_out(self, watchers: int, *, are_alike: bool) -> FanOutFigures:
        """Measure watchers of one book from its first event until the last watcher has its end.

        Watchers that are alike are one client, as devices of one parent are that use the same token.

        Raises:
            InfraError: A watcher was refused, or did not get each event.
        """
        await self._parent.sign_up()
        async with self._gather() as crowd:
            with self._pause_worker():
                generation_ids = await self._start_generations(1)
                await crowd.open(generation_ids, watchers, are_alike=are_alike)
                await self._meter.settle()
            started = time.perf_counter()
            async with self._meter.measuring() as loads:
                await crowd.wait_for_end()
            if crowd.count_refusals() or not crowd.arrivals.is_complete(watchers):
                raise InfraError(f"Not every watcher received every event: {dict(crowd.count_refusals())}")
            return FanOutFigures(
                watchers,
                crowd.arrivals.events,
                max(watcher.ended_at for watcher in crowd.watchers) - started,
                summarise(crowd.arrivals.compute_delays()),
                compute_spread(crowd.watchers) * 1000,
                loads[0],
            )

    async def measure_admission(
        self, limit: int, beyond: int, generations: int = GENERATIONS
    ) -> AdmissionFigures:
        """Open more watchers at once than a client may have, end the generations, and open as many again."""
        await self._parent.sign_up()
        with self._pause_worker():
            generation_ids = await self._start_generations(generations)
            before = await self._time_queries(asyncio.create_task(asyncio.sleep(QUERY_SECONDS)))
            async with self._gather() as crowd:
                count = limit + beyond
                opening = asyncio.create_task(
                    crowd.open(generation_ids, count, are_alike=False, at_a_time=count)
                )
                during = await self._time_queries(opening)
                await self._meter.settle()
                refused, refusals = crowd.list_refused(), crowd.count_refusals()
                accepted = crowd.list_accepted()
                later, cpu = await self._measure_refusals(crowd, generation_ids, beyond)
                await self._cancel(generation_ids)
                await crowd.wait_for_end()
            after = await self._time_queries(asyncio.create_task(asyncio.sleep(QUERY_SECONDS)))
            async with self._gather() as second:
                generation_ids = await self._start_generations(1)
                await second.open(generation_ids, limit, are_alike=False)
                await self._meter.settle()
                accepted_again = len(second.list_accepted())
                await self._cancel(generation_ids)
        return AdmissionFigures(
            refusals,
            _summarise_refusals(refused),
            later,
            cpu,
            len(accepted),
            sum(not watcher.refusal for watcher in accepted),
            before,
            during,
            after,
            accepted_again,
        )

    async def _measure_refusals(
        self, crowd: Crowd, generation_ids: Sequence[str], count: int
    ) -> tuple[tuple[float, float], float]:
        """Open as many at once as are all refused; return the times to a refusal, and its CPU in the router.

        Raises:
            InfraError: One of them was not refused.
        """
        earlier = crowd.list_refused()
        for watcher in earlier:
            watcher.close()
        await self._meter.settle()
        async with self._meter.measuring() as loads:
            await crowd.open(generation_ids, count, are_alike=False, at_a_time=count)
        refused = crowd.list_refused()[len(earlier) :]
        if len(refused) != count:
            raise InfraError(f"{count - len(refused)} watchers beyond the limit were not refused.")
        return _summarise_refusals(refused), loads[0].cpu["router"] * loads[0].seconds / count * 1000

    async def _start_generations(self, count: int) -> list[str]:
        return [
            await self._parent.start_generation(await self._parent.create_book(_WISH)) for _ in range(count)
        ]

    async def _cancel(self, generation_ids: Sequence[str]) -> None:
        for generation_id in generation_ids:
            await self._graph.execute(CANCEL_GENERATION, {"id": generation_id})

    async def _time_queries(self, beside: asyncio.Task[None]) -> tuple[float, float]:
        """Send an ordinary query again and again while something else goes on."""
        seconds = []
        while not beside.done():
            started = time.perf_counter()
            await self._graph.execute(documents.EVERYTHING)
            seconds.append(time.perf_counter() - started)
            await asyncio.sleep(QUERY_PAUSE_SECONDS)
        await beside
        return summarise(seconds)

    @contextmanager
    def _pause_worker(self) -> Iterator[None]:
        self._worker.suspend()
        try:
            yield
        finally:
            self._worker.resume()

    def _gather(self) -> Crowd:
        return Crowd("127.0.0.1", self._port, self._graph.token)


def _summarise_refusals(refused: Sequence[Watcher]) -> tuple[float, float]:
    return summarise([watcher.ended_at - watcher.opened_at for watcher in refused])


def _require_open(crowd: Crowd) -> None:
    ended = sum(watcher.ended.done() for watcher in crowd.watchers)
    if ended:
        raise InfraError(f"{ended} of {len(crowd.watchers)} watchers have ended: {crowd.count_refusals()}")
