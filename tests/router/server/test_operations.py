"""Preparing operations, and remembering those asked last."""

import pytest
from graphql import parse
from prometheus_client import CollectorRegistry

from router.errors import OperationNotFoundError, ParseFailedError, ValidationFailedError
from router.policy.overrides import Overrides
from router.server import operations
from router.server.operations import Operations
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


def prepared(supergraph: Supergraph, metrics: Metrics, size: int = 10, **limits: int) -> Operations:
    chosen, overrides = Limits.model_validate(limits), Overrides(supergraph, {})
    return Operations(supergraph, chosen, size, overrides, metrics, introspection=True)


def looked_up(registry: CollectorRegistry) -> tuple[float | None, float | None]:
    hits, misses = (
        registry.get_sample_value("router_operation_cache_total", {"result": result})
        for result in ("hit", "miss")
    )
    return hits, misses


def test_an_operation_is_prepared_once(supergraph: Supergraph, metrics: Metrics):
    known = prepared(supergraph, metrics)
    assert known.get("{ average }", None) is known.get("{ average }", None)
    assert looked_up(metrics.registry) == (1.0, 1.0)


def test_a_refusal_is_remembered_too(supergraph: Supergraph, metrics: Metrics):
    known = prepared(supergraph, metrics)
    for _ in range(2):
        with pytest.raises(ValidationFailedError):
            known.get("{ nothing }", None)
    assert looked_up(metrics.registry) == (1.0, 1.0)


def test_the_operation_asked_longest_ago_is_forgotten_first(supergraph: Supergraph, metrics: Metrics):
    known = prepared(supergraph, metrics, size=2)
    first, second = known.get("{ average }", None), known.get("{ books { id } }", None)
    assert known.get("{ average }", None) is first
    known.get("{ books { title } }", None)
    assert known.get("{ average }", None) is first
    assert known.get("{ books { id } }", None) is not second


def test_long_documents_do_not_fill_the_memory(
    supergraph: Supergraph, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operations, "MAX_KNOWN_CHARACTERS", 100)
    known = prepared(supergraph, metrics)
    first = known.get("{ average }", None)
    known.get("{ average }" + " " * 90, None)
    assert known.get("{ average }", None) is not first


def test_a_document_larger_than_the_memory_is_still_answered(
    supergraph: Supergraph, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operations, "MAX_KNOWN_CHARACTERS", 5)
    known = prepared(supergraph, metrics)
    assert known.get("{ average }", None).operation.kind == "query"


def test_a_document_of_too_many_tokens_is_refused(supergraph: Supergraph, metrics: Metrics):
    with pytest.raises(ParseFailedError):
        prepared(supergraph, metrics, max_tokens=2).get("{ average }", None)


def test_a_document_of_too_many_characters_is_refused_though_they_are_comments(
    supergraph: Supergraph, metrics: Metrics
):
    with pytest.raises(ParseFailedError) as refusal:
        prepared(supergraph, metrics, max_characters=20).get("{ average } # not bad", None)
    assert refusal.value.message == "The document has 21 characters; at most 20 are allowed."


def test_a_document_over_a_limit_is_refused_before_it_is_validated(supergraph: Supergraph, metrics: Metrics):
    with pytest.raises(ValidationFailedError) as refusal:
        prepared(supergraph, metrics, max_root_fields=1).get("{ nothing average }", None)
    assert refusal.value.message == "The operation has 2 root fields; at most 1 are allowed."


def test_long_names_of_operations_do_not_fill_the_memory(
    supergraph: Supergraph, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(operations, "MAX_KNOWN_CHARACTERS", 100)
    known = prepared(supergraph, metrics)
    first = known.get("{ average }", None)
    with pytest.raises(OperationNotFoundError):
        known.get("{ average }", "x" * 90)
    assert known.get("{ average }", None) is not first


def test_a_document_nested_deeper_than_python_goes_is_refused(supergraph: Supergraph, metrics: Metrics):
    nested = " ".join(
        f"fragment F{n} on Query {{ {'... { ' * 40} ...F{n + 1} {'} ' * 40} }}" for n in range(20)
    )
    document = f"{{ ...F0 }} {nested} fragment F40 on Query {{ average }}"
    with pytest.raises(ValidationFailedError) as refusal:
        prepared(supergraph, metrics).get(document, None)
    assert refusal.value.message == "The document is nested too deeply."


def test_a_progressive_override_is_decided_for_each_request_and_planned_once(metrics: Metrics):
    drawn = iter([0.1, 0.9, 0.15, 0.2])
    limits = Limits.model_validate({})
    overrides = Overrides(named("staffing"), {}, lambda: next(drawn))
    known = Operations(named("staffing"), limits, 10, overrides, metrics, introspection=True)
    first, second, third, fourth = (known.get("{ people { phone } }", None) for _ in range(4))
    assert ("new" in str(first.prepared.plan), "new" in str(second.prepared.plan)) == (True, False)
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
        operations.select(parse(query), name)
    assert refusal.value.message == message
