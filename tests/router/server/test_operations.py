"""Preparing operations, and remembering those asked last."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic
from typing import Protocol

import pytest
from graphql import SourceLocation, parse
from prometheus_client import CollectorRegistry

from router.errors import (
    OperationNotFoundError,
    OperationTimeoutError,
    OverloadedError,
    ParseFailedError,
    ValidationFailedError,
)
from router.policy.overrides import Overrides
from router.server import operations
from router.server.operations import Operations
from router.server.preparation import Preparation, PreparedOperation, select
from router.settings import Limits
from router.supergraph import Supergraph
from router.telemetry import Metrics
from tests.router.library import SUPERGRAPH
from tests.support.planning import supergraph as named


@pytest.fixture(scope="module")
def supergraph() -> Supergraph:
    return Supergraph.parse(SUPERGRAPH.read_text())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as executor:
        yield executor


class Preparing(Protocol):
    def __call__(self, size: int = 10, **limits: int) -> Operations: ...


@pytest.fixture
def prepared(supergraph: Supergraph, metrics: Metrics, thread: ThreadPoolExecutor) -> Preparing:
    def made(size: int = 10, **limits: int) -> Operations:
        chosen, overrides = Limits.model_validate(limits), Overrides(supergraph, {})
        preparation = Preparation(supergraph, chosen, introspection=True)
        waiting = chosen.max_waiting_documents
        return Operations(preparation, overrides, metrics, thread, size=size, max_waiting=waiting)

    return made


@contextmanager
def busy(thread: ThreadPoolExecutor) -> Iterator[None]:
    """The thread has other work until the end of the block."""
    done = Event()
    thread.submit(done.wait)
    try:
        yield
    finally:
        done.set()


async def asked(
    known: Operations, query: str, deadline: float | None = None
) -> asyncio.Task[PreparedOperation]:
    """A request for an operation, which has come as far as it can for now."""
    task = asyncio.create_task(known.get(query, None, deadline))
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
    assert await known.get("{ average }", None) is await known.get("{ average }", None)
    assert looked_up(metrics.registry) == (1.0, 1.0)


async def test_a_refusal_is_remembered_too(prepared: Preparing, metrics: Metrics):
    known = prepared()
    for _ in range(2):
        with pytest.raises(ValidationFailedError):
            await known.get("{ nothing }", None)
    assert looked_up(metrics.registry) == (1.0, 1.0)


async def test_the_operation_asked_longest_ago_is_forgotten_first(prepared: Preparing):
    known = prepared(size=2)
    first, second = await known.get("{ average }", None), await known.get("{ books { id } }", None)
    assert await known.get("{ average }", None) is first
    await known.get("{ books { title } }", None)
    assert await known.get("{ average }", None) is first
    assert await known.get("{ books { id } }", None) is not second


async def test_long_documents_do_not_fill_the_memory(prepared: Preparing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(operations, "MAX_KNOWN_BYTES", 20_000)
    known = prepared()
    first = await known.get("{ average }", None)
    await known.get("{ average }" + " " * 15_000, None)
    assert await known.get("{ average }", None) is not first


async def test_operations_of_many_fields_do_not_fill_the_memory(
    prepared: Preparing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operations, "MAX_KNOWN_BYTES", 16_000)
    known = prepared()
    first = await known.get("{ average }", None)
    await known.get("{ books { id title } }", None)
    assert await known.get("{ average }", None) is not first


async def test_a_refusal_does_not_keep_the_document(prepared: Preparing):
    with pytest.raises(ValidationFailedError) as refusal:
        await prepared().get("{ nothing }", None)
    [error] = refusal.value.errors
    assert (error.locations, error.nodes, error.source) == ([SourceLocation(1, 3)], None, None)


async def test_a_refusal_that_is_remembered_keeps_nothing_of_the_requests_it_was_raised_for(
    prepared: Preparing,
):
    known, refusals = prepared(), []
    for _ in range(2):
        with pytest.raises(ValidationFailedError) as refusal:
            await known.get("{ nothing }", None)
        refusals.append(refusal.value)
    assert refusals[0] is not refusals[1]


async def test_a_document_larger_than_the_memory_is_still_answered(
    prepared: Preparing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operations, "MAX_KNOWN_BYTES", 5)
    known = prepared()
    assert (await known.get("{ average }", None)).operation.kind == "query"


async def test_a_document_of_too_many_tokens_is_refused(prepared: Preparing):
    with pytest.raises(ParseFailedError):
        await prepared(max_tokens=2).get("{ average }", None)


async def test_a_document_of_too_many_characters_is_refused_though_they_are_comments(prepared: Preparing):
    with pytest.raises(ParseFailedError) as refusal:
        await prepared(max_characters=20).get("{ average } # not bad", None)
    assert refusal.value.message == "The document has 21 characters; at most 20 are allowed."


async def test_a_document_over_a_limit_is_refused_before_it_is_validated(prepared: Preparing):
    with pytest.raises(ValidationFailedError) as refusal:
        await prepared(max_root_fields=1).get("{ nothing average }", None)
    assert refusal.value.message == "The operation has 2 root fields; at most 1 are allowed."


async def test_long_names_of_operations_do_not_fill_the_memory(
    prepared: Preparing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operations, "MAX_KNOWN_BYTES", 20_000)
    known = prepared()
    first = await known.get("{ average }", None)
    with pytest.raises(OperationNotFoundError):
        await known.get("{ average }", "x" * 15_000)
    assert await known.get("{ average }", None) is not first


async def test_a_document_nested_deeper_than_python_goes_is_refused(prepared: Preparing):
    nested = " ".join(
        f"fragment F{n} on Query {{ {'... { ' * 40} ...F{n + 1} {'} ' * 40} }}" for n in range(20)
    )
    document = f"{{ ...F0 }} {nested} fragment F40 on Query {{ average }}"
    with pytest.raises(ValidationFailedError) as refusal:
        await prepared().get(document, None)
    assert refusal.value.message == "The document is nested too deeply."


async def test_a_known_operation_is_answered_while_another_is_being_prepared(
    prepared: Preparing, thread: ThreadPoolExecutor
):
    known = prepared()
    first = await known.get("{ average }", None)
    with busy(thread):
        waiting = await asked(known, "{ books { id } }")
        assert await known.get("{ average }", None) is first
        assert not waiting.done()
    assert (await waiting).operation.kind == "query"


async def test_those_who_ask_for_the_same_at_one_time_get_the_same(
    prepared: Preparing, thread: ThreadPoolExecutor
):
    known = prepared()
    with busy(thread):
        waiting = [await asked(known, "{ average }") for _ in range(3)]
    first, second, third = await asyncio.gather(*waiting)
    assert first is second is third


async def test_those_who_ask_for_the_same_at_one_time_are_refused_alike(
    prepared: Preparing, thread: ThreadPoolExecutor
):
    known = prepared()
    with busy(thread):
        waiting = [await asked(known, "{ nothing }") for _ in range(2)]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in outcomes] == [ValidationFailedError] * 2


async def test_one_who_stops_waiting_does_not_end_it_for_the_others(
    prepared: Preparing, thread: ThreadPoolExecutor
):
    known = prepared()
    with busy(thread):
        first, second = await asked(known, "{ average }"), await asked(known, "{ average }")
        first.cancel()
        await asyncio.wait({first})
    assert (await second).operation.kind == "query"


async def test_an_operation_that_none_waits_for_any_more_is_known_all_the_same(
    prepared: Preparing, metrics: Metrics, thread: ThreadPoolExecutor
):
    known = prepared()
    with busy(thread):
        alone = await asked(known, "{ average }")
        alone.cancel()
    await known.get("{ books { id } }", None)
    await known.get("{ average }", None)
    assert looked_up(metrics.registry) == (1.0, 2.0)


async def test_more_operations_than_may_wait_are_refused_until_there_is_room(
    prepared: Preparing, thread: ThreadPoolExecutor
):
    known = prepared(max_waiting_documents=2)
    with busy(thread):
        waiting = [await asked(known, query) for query in ("{ average }", "{ books { id } }")]
        waiting.append(await asked(known, "{ average }"))
        with pytest.raises(OverloadedError) as refusal:
            await known.get("{ books { title } }", None, monotonic() + 5)
    await asyncio.gather(*waiting)
    assert (refusal.value.status, refusal.value.headers) == (503, {"retry-after": "1"})
    assert (await known.get("{ books { title } }", None)).operation.kind == "query"


async def test_an_operation_that_is_not_prepared_in_time_is_given_up(
    prepared: Preparing, thread: ThreadPoolExecutor
):
    known = prepared()
    with busy(thread), pytest.raises(OperationTimeoutError) as refusal:
        await known.get("{ average }", None, monotonic() + 0.01)
    assert refusal.value.status == 504


async def test_a_progressive_override_is_decided_for_each_request_and_planned_once(
    metrics: Metrics, thread: ThreadPoolExecutor
):
    drawn = iter([0.1, 0.9, 0.15, 0.2])
    limits = Limits.model_validate({})
    overrides = Overrides(named("staffing"), {}, lambda: next(drawn))
    preparation = Preparation(named("staffing"), limits, introspection=True)
    known = Operations(preparation, overrides, metrics, thread, size=10, max_waiting=10)
    first, second, third, fourth = [await known.get("{ people { phone } }", None) for _ in range(4)]
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
            "The document has several operations; operationName must name one.",
        ),
    ],
)
def test_an_operation_that_cannot_be_singled_out_is_never_guessed(query: str, name: str | None, message: str):
    with pytest.raises(OperationNotFoundError) as refusal:
        select(parse(query), name)
    assert refusal.value.message == message
