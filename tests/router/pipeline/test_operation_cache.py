"""Preparation of operations and the cache of prepared ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event
from time import monotonic
from typing import Protocol

import pytest
from graphql import SourceLocation, parse
from prometheus_client import CollectorRegistry

from router.config.settings import Limits
from router.errors import (
    OperationNotFoundError,
    OperationTimeoutError,
    OverloadedError,
    ParseFailedError,
    PlanningTooLongError,
    ValidationFailedError,
)
from router.pipeline import operation_cache, preparation
from router.pipeline.operation_cache import OperationCache
from router.pipeline.preparation import (
    OperationKey,
    Preparation,
    PreparationOutcome,
    PreparedOperation,
    select_operation,
)
from router.pipeline.single_flight import SingleFlight, open_single_flight
from router.pipeline.worker import Worker
from router.policy.overrides import Overrides
from router.supergraph import Supergraph
from router.telemetry import Metrics
from tests.router.library import SUPERGRAPH
from tests.support.planning import load_supergraph


@pytest.fixture(scope="module")
def supergraph() -> Supergraph:
    return Supergraph.parse(SUPERGRAPH.read_text())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def thread() -> AsyncIterator[SingleFlight]:
    async with open_single_flight(10, 3, 2) as flights:
        yield flights


class BuildCache(Protocol):
    def __call__(self, size: int = 10, **limits: int) -> OperationCache: ...


@pytest.fixture
def build_cache(supergraph: Supergraph, metrics: Metrics, thread: SingleFlight) -> BuildCache:
    def build(size: int = 10, **limits: int) -> OperationCache:
        chosen, overrides = Limits.model_validate(limits), Overrides(supergraph, {})
        preparing = Preparation(supergraph, chosen, introspection=True)
        return OperationCache(preparing, overrides, metrics, thread, size=size)

    return build


@asynccontextmanager
async def keep_busy(thread: SingleFlight) -> AsyncIterator[None]:
    """Keeps the thread occupied until the end of the block."""
    begun, done = Event(), Event()

    def work() -> None:
        begun.set()
        done.wait()

    task = asyncio.create_task(thread.run("busy", work, done.set, ignore, client="busy", cost=0))
    await asyncio.to_thread(begun.wait)
    try:
        yield
    finally:
        done.set()
        await task


def ignore(_: object) -> None:
    """Discards a result."""


async def get(
    cache: OperationCache,
    query: str,
    name: str | None = None,
    deadline: float | None = None,
    client: str = "one",
) -> PreparedOperation:
    return await cache.get(query, name, client, deadline)


async def start_get(
    cache: OperationCache, query: str, client: str = "one"
) -> asyncio.Task[PreparedOperation]:
    """Starts to get an operation and lets the request run until it waits."""
    task = asyncio.create_task(get(cache, query, client=client))
    await asyncio.sleep(0)
    return task


def count_lookups(registry: CollectorRegistry) -> tuple[float | None, float | None]:
    hits, misses = (
        registry.get_sample_value("router_operation_cache_total", {"result": result})
        for result in ("hit", "miss")
    )
    return hits, misses


async def test_an_operation_is_prepared_once(build_cache: BuildCache, metrics: Metrics):
    cache = build_cache()
    assert await get(cache, "{ average }") is await get(cache, "{ average }")
    assert count_lookups(metrics.registry) == (1.0, 1.0)


async def test_a_refusal_is_cached_too(build_cache: BuildCache, metrics: Metrics):
    cache = build_cache()
    for _ in range(2):
        with pytest.raises(ValidationFailedError):
            await get(cache, "{ nothing }")
    assert count_lookups(metrics.registry) == (1.0, 1.0)


async def test_the_least_recently_used_operation_is_evicted(build_cache: BuildCache):
    cache = build_cache(size=2)
    first, second = await get(cache, "{ average }"), await get(cache, "{ books { id } }")
    assert await get(cache, "{ average }") is first
    await get(cache, "{ books { title } }")
    assert await get(cache, "{ average }") is first
    assert await get(cache, "{ books { id } }") is not second


async def test_long_documents_do_not_fill_the_memory(
    build_cache: BuildCache, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operation_cache, "MAX_PREPARED_BYTES", 20_000)
    cache = build_cache()
    first = await get(cache, "{ average }")
    await get(cache, "{ average }" + " " * 15_000)
    assert await get(cache, "{ average }") is not first


async def test_operations_of_many_fields_do_not_fill_the_memory(
    build_cache: BuildCache, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operation_cache, "MAX_PREPARED_BYTES", 16_000)
    cache = build_cache()
    first = await get(cache, "{ average }")
    await get(cache, "{ books { id title } }")
    assert await get(cache, "{ average }") is not first


async def test_a_refusal_does_not_keep_the_document(build_cache: BuildCache):
    with pytest.raises(ValidationFailedError) as refusal:
        await get(build_cache(), "{ nothing }")
    [error] = refusal.value.errors
    assert (error.locations, error.nodes, error.source) == ([SourceLocation(1, 3)], None, None)


async def test_a_cached_refusal_is_raised_as_a_new_exception_each_time(
    build_cache: BuildCache,
):
    cache, refusals = build_cache(), []
    for _ in range(2):
        with pytest.raises(ValidationFailedError) as refusal:
            await get(cache, "{ nothing }")
        refusals.append(refusal.value)
    assert refusals[0] is not refusals[1]


async def test_a_document_larger_than_the_cache_is_still_answered(
    build_cache: BuildCache, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operation_cache, "MAX_PREPARED_BYTES", 5)
    cache = build_cache()
    assert (await get(cache, "{ average }")).operation.kind == "query"


async def test_a_document_of_too_many_tokens_is_refused(build_cache: BuildCache):
    with pytest.raises(ParseFailedError):
        await get(build_cache(max_tokens=2), "{ average }")


async def test_comments_count_towards_the_limit_of_characters(build_cache: BuildCache):
    with pytest.raises(ParseFailedError) as refusal:
        await get(build_cache(max_characters=20), "{ average } # not bad")
    assert refusal.value.message == "The document has 21 characters; the maximum is 20."


async def test_a_document_over_a_limit_is_refused_before_it_is_validated(build_cache: BuildCache):
    with pytest.raises(ValidationFailedError) as refusal:
        await get(build_cache(max_root_fields=1), "{ nothing average }")
    assert refusal.value.message == "The operation has 2 root fields; the maximum is 1."


async def test_an_operation_name_longer_than_the_document_is_refused_without_a_lookup(
    build_cache: BuildCache, metrics: Metrics
):
    cache = build_cache()
    with pytest.raises(OperationNotFoundError):
        await get(cache, "{ average }", "x" * 15_000)
    assert count_lookups(metrics.registry) == (None, None)


async def test_a_document_nested_deeper_than_python_goes_is_refused(build_cache: BuildCache):
    nested = " ".join(
        f"fragment F{n} on Query {{ {'... { ' * 40} ...F{n + 1} {'} ' * 40} }}" for n in range(20)
    )
    document = f"{{ ...F0 }} {nested} fragment F40 on Query {{ average }}"
    with pytest.raises(ValidationFailedError) as refusal:
        await get(build_cache(), document)
    assert refusal.value.message == "The document is nested too deeply."


async def test_a_thousand_fields_of_one_object_are_within_the_default_limits(
    metrics: Metrics, thread: SingleFlight
):
    fields = " ".join(f"f{number}: Int @join__field(graph: BOOKS)" for number in range(1079))
    shared = "both: Int @join__field(graph: BOOKS) @join__field(graph: REVIEWS)"
    text = SUPERGRAPH.read_text().replace(
        "type Query",
        f'type Wide @join__type(graph: BOOKS, key: "id")'
        f' @join__type(graph: REVIEWS, key: "id") {{ id: ID! {fields} {shared} }} type Query',
        1,
    )
    text = text.replace("average: Float", "wide: Wide @join__field(graph: REVIEWS) average: Float", 1)
    wide = Supergraph.parse(text)
    preparing = Preparation(wide, Limits.model_validate({}), introspection=True)
    cache = OperationCache(preparing, Overrides(wide, {}), metrics, thread, size=10)
    query = f"{{ wide {{ both {' '.join(f'f{number}' for number in range(1079))} }} }}"
    assert (await get(cache, query)).prepared.names.field_count > 1080


async def test_a_known_operation_is_answered_while_another_is_being_prepared(
    build_cache: BuildCache, thread: SingleFlight
):
    cache = build_cache()
    first = await get(cache, "{ average }")
    async with keep_busy(thread):
        waiting = await start_get(cache, "{ books { id } }")
        assert await get(cache, "{ average }") is first
        assert not waiting.done()
    assert (await waiting).operation.kind == "query"


async def test_concurrent_requests_for_one_operation_share_its_preparation(
    build_cache: BuildCache, thread: SingleFlight
):
    cache = build_cache()
    async with keep_busy(thread):
        waiting = [await start_get(cache, "{ average }") for _ in range(3)]
    first, second, third = await asyncio.gather(*waiting)
    assert first is second is third


async def test_concurrent_requests_for_one_operation_share_its_refusal(
    build_cache: BuildCache, thread: SingleFlight
):
    cache = build_cache()
    async with keep_busy(thread):
        waiting = [await start_get(cache, "{ nothing }") for _ in range(2)]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in outcomes] == [ValidationFailedError] * 2


async def test_a_cancelled_request_does_not_cancel_the_preparation_for_others(
    build_cache: BuildCache, thread: SingleFlight
):
    cache = build_cache()
    async with keep_busy(thread):
        first, second = await start_get(cache, "{ average }"), await start_get(cache, "{ average }")
        first.cancel()
        await asyncio.wait({first})
    assert (await second).operation.kind == "query"


async def test_an_operation_that_nobody_waits_for_is_not_prepared(
    build_cache: BuildCache, metrics: Metrics, thread: SingleFlight
):
    cache = build_cache()
    async with keep_busy(thread):
        alone = await start_get(cache, "{ average }")
        alone.cancel()
        await asyncio.wait({alone})
        others = [await start_get(cache, query) for query in ("{ books { id } }", "{ books { title } }")]
    await asyncio.gather(*others)
    await get(cache, "{ average }")
    assert count_lookups(metrics.registry) == (None, 4.0)


async def test_one_client_may_queue_only_its_share_and_another_is_served(
    build_cache: BuildCache, thread: SingleFlight
):
    cache = build_cache()
    async with keep_busy(thread):
        many = [await start_get(cache, f"{{ a{number}: __typename }}", "many") for number in range(110)]
        other = await start_get(cache, "{ average }", "other")
        with pytest.raises(OverloadedError) as refusal:
            await get(cache, "{ books { title } }", client="many", deadline=monotonic() + 5)
    assert (refusal.value.status, refusal.value.headers) == (503, {"retry-after": "1"})
    outcomes = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(each, OverloadedError) for each in outcomes) == 108
    assert (await other).operation.kind == "query"
    assert (await get(cache, "{ books { title } }", client="many")).operation.kind == "query"


async def test_a_small_operation_does_not_wait_for_the_large_ones_of_another_client(
    supergraph: Supergraph, metrics: Metrics
):
    preparing = Preparation(supergraph, Limits.model_validate({}), introspection=True)
    async with open_single_flight(10, 10, 10) as flights:
        cache = OperationCache(preparing, Overrides(supergraph, {}), metrics, flights, size=10)
        done: list[bool] = []
        async with keep_busy(flights):
            large = [f"{{ a{number}: average }}" + " " * 15_000 for number in range(5)]
            tasks = [await start_get(cache, query, "many") for query in large]
            small = await start_get(cache, "{ average }", "other")
            small.add_done_callback(lambda _: done.extend(task.done() for task in tasks))
        await asyncio.gather(small, *tasks)
    assert done == [False] * 5


async def test_one_client_does_not_evict_the_operations_of_others(build_cache: BuildCache):
    cache = build_cache(size=5)
    common = await get(cache, "{ average }", client="one")
    await get(cache, "{ average }", client="two")
    own = await get(cache, "{ books { id } }", client="one")
    for number in range(20):
        await get(cache, f"{{ a{number}: __typename }}", client="many")
        await get(cache, f"{{ a{number}: __typename }}", client="many")
    assert await get(cache, "{ average }", client="three") is common
    assert await get(cache, "{ books { id } }", client="one") is own


async def test_refusals_do_not_evict_operations(build_cache: BuildCache):
    cache = build_cache(size=1)
    first = await get(cache, "{ average }")
    for number in range(3):
        with pytest.raises(ValidationFailedError):
            await get(cache, f"{{ nothing{number} }}", client="two")
    assert await get(cache, "{ average }") is first


async def test_a_cached_refusal_expires(
    build_cache: BuildCache, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    cache = build_cache()
    monkeypatch.setattr(operation_cache, "REFUSED_SECONDS", 0.0)
    for _ in range(2):
        with pytest.raises(ValidationFailedError):
            await get(cache, "{ nothing }")
    assert count_lookups(metrics.registry) == (None, 2.0)


async def test_refusals_with_long_messages_do_not_fill_the_memory(
    build_cache: BuildCache, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operation_cache, "MAX_REFUSED_BYTES", 2_000)
    cache = build_cache()
    for query in ("{ nothing }", "{ " + "x" * 19_000 + " }", "{ nothing }"):
        with pytest.raises(ValidationFailedError):
            await get(cache, query)
    assert count_lookups(metrics.registry) == (None, 3.0)


async def test_a_document_that_takes_too_long_to_plan_is_refused(
    build_cache: BuildCache, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(preparation, "PLANNING_SECONDS", 0)
    cache = build_cache()
    for _ in range(2):
        with pytest.raises(PlanningTooLongError) as refusal:
            await get(cache, "{ average }")
    assert refusal.value.to_errors()[0]["extensions"]["code"] == "QUERY_PLANNING_TIMEOUT"
    assert count_lookups(metrics.registry) == (1.0, 1.0)


class HangingPreparation(Preparation):
    """Never finishes a document that contains `hang`."""

    ended = Event()
    worker: Worker | None = None

    def reset_planners(self) -> None:
        super().reset_planners()
        if self.worker:
            # Only the hanging document has a short timeout; others could exceed it on a busy machine.
            self.worker.timeout = 60

    def attempt(self, key: OperationKey) -> PreparationOutcome:
        try:
            while "hang" in key.query:
                pass
        finally:
            if "hang" in key.query:
                self.ended.set()
        return super().attempt(key)


async def test_a_hanging_document_is_refused_and_others_are_prepared_in_a_new_thread(
    supergraph: Supergraph, metrics: Metrics
):
    async with open_single_flight(0.05, 10, 10) as flights:
        hanging = HangingPreparation(supergraph, Limits.model_validate({}), introspection=True)
        hanging.worker = flights.worker
        cache = OperationCache(hanging, Overrides(supergraph, {}), metrics, flights, size=10)
        hung = [await start_get(cache, "{ hang: average }") for _ in range(2)]
        waiting = await start_get(cache, "{ average }")
        outcomes = await asyncio.gather(*hung, return_exceptions=True)
        assert [type(each) for each in outcomes] == [PlanningTooLongError] * 2
        with pytest.raises(PlanningTooLongError):
            await get(cache, "{ hang: average }")
        assert (await waiting).operation.kind == "query"
        assert await asyncio.to_thread(hanging.ended.wait, 10)
    assert metrics.registry.get_sample_value("router_hung_preparations_total") == 1.0


async def test_an_operation_that_is_not_prepared_in_time_times_out(
    build_cache: BuildCache, thread: SingleFlight
):
    cache = build_cache()
    async with keep_busy(thread):
        with pytest.raises(OperationTimeoutError) as refusal:
            await get(cache, "{ average }", None, monotonic() + 0.01)
    assert refusal.value.status == 504


async def test_a_progressive_override_is_drawn_for_each_request_and_planned_once(
    metrics: Metrics, thread: SingleFlight
):
    drawn = iter([0.1, 0.9, 0.15, 0.2])
    limits = Limits.model_validate({})
    overrides = Overrides(load_supergraph("staffing"), {}, lambda: next(drawn))
    preparing = Preparation(load_supergraph("staffing"), limits, introspection=True)
    cache = OperationCache(preparing, overrides, metrics, thread, size=10)
    first, second, third, fourth = [await get(cache, "{ people { phone } }") for _ in range(4)]
    assert (first.key.labels, second.key.labels) == (frozenset({"percent(20)"}), frozenset())
    assert (third is first, fourth is second) == (True, True)


@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        ("fragment F on Query { average }", None, "The document has no operation."),
        ("query A { average }", "B", "The document has no operation named 'B'."),
        (
            "query A { average } query B { average }",
            None,
            "The document has several operations; operationName must select one.",
        ),
    ],
)
def test_a_missing_or_ambiguous_operation_is_refused(query: str, name: str | None, message: str):
    with pytest.raises(OperationNotFoundError) as refusal:
        select_operation(parse(query), name)
    assert refusal.value.message == message
