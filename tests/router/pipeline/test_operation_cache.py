"""Preparing operations, and remembering those asked last."""

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


class Preparing(Protocol):
    def __call__(self, size: int = 10, **limits: int) -> OperationCache: ...


@pytest.fixture
def prepared(supergraph: Supergraph, metrics: Metrics, thread: SingleFlight) -> Preparing:
    def made(size: int = 10, **limits: int) -> OperationCache:
        chosen, overrides = Limits.model_validate(limits), Overrides(supergraph, {})
        preparing = Preparation(supergraph, chosen, introspection=True)
        return OperationCache(preparing, overrides, metrics, thread, size=size)

    return made


@asynccontextmanager
async def busy(thread: SingleFlight) -> AsyncIterator[None]:
    """The thread has other work until the end of the block."""
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
    """What is to happen to a result that nobody needs."""


async def get(
    known: OperationCache,
    query: str,
    name: str | None = None,
    deadline: float | None = None,
    client: str = "one",
) -> PreparedOperation:
    return await known.get(query, name, client, deadline)


async def asked(known: OperationCache, query: str, client: str = "one") -> asyncio.Task[PreparedOperation]:
    """A request for an operation, which has come as far as it can for now."""
    task = asyncio.create_task(get(known, query, client=client))
    await asyncio.sleep(0)
    return task


def looked_up(registry: CollectorRegistry) -> tuple[float | None, float | None]:
    hits, misses = (
        registry.get_sample_value("router_operation_cache_total", {"result": result})
        for result in ("hit", "miss")
    )
    return hits, misses


async def test_an_operation_is_prepared_once(prepared: Preparing, metrics: Metrics):
    known = prepared()
    assert await get(known, "{ average }") is await get(known, "{ average }")
    assert looked_up(metrics.registry) == (1.0, 1.0)


async def test_a_refusal_is_remembered_too(prepared: Preparing, metrics: Metrics):
    known = prepared()
    for _ in range(2):
        with pytest.raises(ValidationFailedError):
            await get(known, "{ nothing }")
    assert looked_up(metrics.registry) == (1.0, 1.0)


async def test_the_operation_asked_longest_ago_is_forgotten_first(prepared: Preparing):
    known = prepared(size=2)
    first, second = await get(known, "{ average }"), await get(known, "{ books { id } }")
    assert await get(known, "{ average }") is first
    await get(known, "{ books { title } }")
    assert await get(known, "{ average }") is first
    assert await get(known, "{ books { id } }") is not second


async def test_long_documents_do_not_fill_the_memory(prepared: Preparing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(operation_cache, "MAX_PREPARED_BYTES", 20_000)
    known = prepared()
    first = await get(known, "{ average }")
    await get(known, "{ average }" + " " * 15_000)
    assert await get(known, "{ average }") is not first


async def test_operations_of_many_fields_do_not_fill_the_memory(
    prepared: Preparing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operation_cache, "MAX_PREPARED_BYTES", 16_000)
    known = prepared()
    first = await get(known, "{ average }")
    await get(known, "{ books { id title } }")
    assert await get(known, "{ average }") is not first


async def test_a_refusal_does_not_keep_the_document(prepared: Preparing):
    with pytest.raises(ValidationFailedError) as refusal:
        await get(prepared(), "{ nothing }")
    [error] = refusal.value.errors
    assert (error.locations, error.nodes, error.source) == ([SourceLocation(1, 3)], None, None)


async def test_a_refusal_that_is_remembered_keeps_nothing_of_the_requests_it_was_raised_for(
    prepared: Preparing,
):
    known, refusals = prepared(), []
    for _ in range(2):
        with pytest.raises(ValidationFailedError) as refusal:
            await get(known, "{ nothing }")
        refusals.append(refusal.value)
    assert refusals[0] is not refusals[1]


async def test_a_document_larger_than_the_memory_is_still_answered(
    prepared: Preparing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operation_cache, "MAX_PREPARED_BYTES", 5)
    known = prepared()
    assert (await get(known, "{ average }")).operation.kind == "query"


async def test_a_document_of_too_many_tokens_is_refused(prepared: Preparing):
    with pytest.raises(ParseFailedError):
        await get(prepared(max_tokens=2), "{ average }")


async def test_a_document_of_too_many_characters_is_refused_though_they_are_comments(prepared: Preparing):
    with pytest.raises(ParseFailedError) as refusal:
        await get(prepared(max_characters=20), "{ average } # not bad")
    assert refusal.value.message == "The document has 21 characters; the maximum is 20."


async def test_a_document_over_a_limit_is_refused_before_it_is_validated(prepared: Preparing):
    with pytest.raises(ValidationFailedError) as refusal:
        await get(prepared(max_root_fields=1), "{ nothing average }")
    assert refusal.value.message == "The operation has 2 root fields; the maximum is 1."


async def test_a_name_longer_than_the_document_is_refused_without_a_look_at_either(
    prepared: Preparing, metrics: Metrics
):
    known = prepared()
    with pytest.raises(OperationNotFoundError):
        await get(known, "{ average }", "x" * 15_000)
    assert looked_up(metrics.registry) == (None, None)


async def test_a_document_nested_deeper_than_python_goes_is_refused(prepared: Preparing):
    nested = " ".join(
        f"fragment F{n} on Query {{ {'... { ' * 40} ...F{n + 1} {'} ' * 40} }}" for n in range(20)
    )
    document = f"{{ ...F0 }} {nested} fragment F40 on Query {{ average }}"
    with pytest.raises(ValidationFailedError) as refusal:
        await get(prepared(), document)
    assert refusal.value.message == "The document is nested too deeply."


async def test_a_known_operation_is_answered_while_another_is_being_prepared(
    prepared: Preparing, thread: SingleFlight
):
    known = prepared()
    first = await get(known, "{ average }")
    async with busy(thread):
        waiting = await asked(known, "{ books { id } }")
        assert await get(known, "{ average }") is first
        assert not waiting.done()
    assert (await waiting).operation.kind == "query"


async def test_those_who_ask_for_the_same_at_one_time_get_the_same(prepared: Preparing, thread: SingleFlight):
    known = prepared()
    async with busy(thread):
        waiting = [await asked(known, "{ average }") for _ in range(3)]
    first, second, third = await asyncio.gather(*waiting)
    assert first is second is third


async def test_those_who_ask_for_the_same_at_one_time_are_refused_alike(
    prepared: Preparing, thread: SingleFlight
):
    known = prepared()
    async with busy(thread):
        waiting = [await asked(known, "{ nothing }") for _ in range(2)]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in outcomes] == [ValidationFailedError] * 2


async def test_one_who_stops_waiting_does_not_end_it_for_the_others(
    prepared: Preparing, thread: SingleFlight
):
    known = prepared()
    async with busy(thread):
        first, second = await asked(known, "{ average }"), await asked(known, "{ average }")
        first.cancel()
        await asyncio.wait({first})
    assert (await second).operation.kind == "query"


async def test_an_operation_that_none_waits_for_any_more_is_not_prepared(
    prepared: Preparing, metrics: Metrics, thread: SingleFlight
):
    known = prepared()
    async with busy(thread):
        alone = await asked(known, "{ average }")
        alone.cancel()
        await asyncio.wait({alone})
        others = [await asked(known, query) for query in ("{ books { id } }", "{ books { title } }")]
    await asyncio.gather(*others)
    await get(known, "{ average }")
    assert looked_up(metrics.registry) == (None, 4.0)


async def test_one_client_has_no_more_waiting_than_its_share_and_another_is_served(
    prepared: Preparing, thread: SingleFlight
):
    known = prepared()
    async with busy(thread):
        many = [await asked(known, f"{{ a{number}: __typename }}", "many") for number in range(110)]
        other = await asked(known, "{ average }", "other")
        with pytest.raises(OverloadedError) as refusal:
            await get(known, "{ books { title } }", client="many", deadline=monotonic() + 5)
    assert (refusal.value.status, refusal.value.headers) == (503, {"retry-after": "1"})
    outcomes = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(each, OverloadedError) for each in outcomes) == 108
    assert (await other).operation.kind == "query"
    assert (await get(known, "{ books { title } }", client="many")).operation.kind == "query"


async def test_one_client_does_not_push_out_what_others_have_asked(prepared: Preparing):
    known = prepared(size=5)
    common = await get(known, "{ average }", client="one")
    await get(known, "{ average }", client="two")
    own = await get(known, "{ books { id } }", client="one")
    for number in range(20):
        await get(known, f"{{ a{number}: __typename }}", client="many")
        await get(known, f"{{ a{number}: __typename }}", client="many")
    assert await get(known, "{ average }", client="three") is common
    assert await get(known, "{ books { id } }", client="one") is own


async def test_what_is_refused_pushes_out_nothing(prepared: Preparing):
    known = prepared(size=1)
    first = await get(known, "{ average }")
    for number in range(3):
        with pytest.raises(ValidationFailedError):
            await get(known, f"{{ nothing{number} }}", client="two")
    assert await get(known, "{ average }") is first


async def test_a_refusal_is_forgotten_after_a_while(
    prepared: Preparing, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    known = prepared()
    monkeypatch.setattr(operation_cache, "REFUSED_SECONDS", 0.0)
    for _ in range(2):
        with pytest.raises(ValidationFailedError):
            await get(known, "{ nothing }")
    assert looked_up(metrics.registry) == (None, 2.0)


async def test_refusals_with_long_messages_do_not_fill_the_memory(
    prepared: Preparing, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operation_cache, "MAX_REFUSED_BYTES", 2_000)
    known = prepared()
    for query in ("{ nothing }", "{ " + "x" * 19_000 + " }", "{ nothing }"):
        with pytest.raises(ValidationFailedError):
            await get(known, query)
    assert looked_up(metrics.registry) == (None, 3.0)


async def test_a_document_that_takes_too_long_to_plan_is_refused(
    prepared: Preparing, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(preparation, "PLANNING_SECONDS", 0)
    known = prepared()
    for _ in range(2):
        with pytest.raises(PlanningTooLongError) as refusal:
            await get(known, "{ average }")
    assert refusal.value.to_errors()[0]["extensions"]["code"] == "QUERY_PLANNING_TIMEOUT"
    assert looked_up(metrics.registry) == (1.0, 1.0)


class Hanging(Preparation):
    """Never comes to an end with a certain document."""

    ended = Event()
    worker: Worker | None = None

    def reset_planners(self) -> None:
        super().reset_planners()
        if self.worker:
            # Only what is to hang has little time, so that nothing else does on a busy machine.
            self.worker.timeout = 60

    def attempt(self, key: OperationKey) -> PreparationOutcome:
        try:
            while "hang" in key.query:
                pass
        finally:
            if "hang" in key.query:
                self.ended.set()
        return super().attempt(key)


async def test_a_document_that_hangs_is_refused_for_a_while_and_others_are_prepared_in_another_thread(
    supergraph: Supergraph, metrics: Metrics
):
    async with open_single_flight(0.05, 10, 10) as flights:
        hanging = Hanging(supergraph, Limits.model_validate({}), introspection=True)
        hanging.worker = flights.worker
        known = OperationCache(hanging, Overrides(supergraph, {}), metrics, flights, size=10)
        hung = [await asked(known, "{ hang: average }") for _ in range(2)]
        waiting = await asked(known, "{ average }")
        outcomes = await asyncio.gather(*hung, return_exceptions=True)
        assert [type(each) for each in outcomes] == [PlanningTooLongError] * 2
        with pytest.raises(PlanningTooLongError):
            await get(known, "{ hang: average }")
        assert (await waiting).operation.kind == "query"
        assert await asyncio.to_thread(hanging.ended.wait, 10)
    assert metrics.registry.get_sample_value("router_hung_preparations_total") == 1.0


async def test_an_operation_that_is_not_prepared_in_time_is_given_up(
    prepared: Preparing, thread: SingleFlight
):
    known = prepared()
    async with busy(thread):
        with pytest.raises(OperationTimeoutError) as refusal:
            await get(known, "{ average }", None, monotonic() + 0.01)
    assert refusal.value.status == 504


async def test_a_progressive_override_is_decided_for_each_request_and_planned_once(
    metrics: Metrics, thread: SingleFlight
):
    drawn = iter([0.1, 0.9, 0.15, 0.2])
    limits = Limits.model_validate({})
    overrides = Overrides(load_supergraph("staffing"), {}, lambda: next(drawn))
    preparing = Preparation(load_supergraph("staffing"), limits, introspection=True)
    known = OperationCache(preparing, overrides, metrics, thread, size=10)
    first, second, third, fourth = [await get(known, "{ people { phone } }") for _ in range(4)]
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
def test_an_operation_that_cannot_be_singled_out_is_never_guessed(query: str, name: str | None, message: str):
    with pytest.raises(OperationNotFoundError) as refusal:
        select_operation(parse(query), name)
    assert refusal.value.message == message
