"""The comparison of the router with the oracle, over generated graphs and operations."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode, OperationType, build_schema, parse
from graphql import ExecutionResult as ExpectedResult

from infra.schema.composition import Composed, CompositionError, compose_each
from infra.schema.config import Subgraph
from router.errors import UnplannableOperationError
from router.executor import CompiledOperation, ExecutionRequest, compile_operation, execute
from router.executor import ExecutionResult as ActualResult
from router.operation import Operation, build_operation, coerce_variables
from router.planner import Planner
from router.planner.plan import (
    ConditionNode,
    DeferNode,
    ParallelNode,
    PlanNode,
    SequenceNode,
    SubscriptionNode,
)
from router.supergraph import Supergraph
from router.transport.base import RequestContext, Transport
from tests.router.oracle.merged_schema import InconsistentError
from tests.router.oracle.minimal_requests import MinimalRequests
from tests.router.oracle.operations import Operations, Request
from tests.router.oracle.oracle import compute_answer
from tests.router.oracle.reachability import Reachability
from tests.router.oracle.serving import Run, ServedSubgraphs
from tests.router.oracle.subgraphs import SubgraphSchema
from tests.router.oracle.supergraphs import generate_graph
from tests.router.oracle.world import World

CONTEXT = RequestContext(None, "00-00000000000000000000000000000000-0000000000000000-00")


PLANNING_SECONDS = 10
MAX_REQUESTS = 5
FAULT_RATE = 0.05


@contextmanager
def limit_cpu_time(seconds: float) -> Iterator[None]:
    """Raises `TimeoutError` after some seconds of CPU time."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the router and the oracle."""

    kind: str
    detail: str
    request: Request
    labels: frozenset[str] = frozenset()

    @property
    def signature(self) -> tuple[str, str]:
        """The kind, and the detail without names and numbers; equal signatures mostly have one cause."""
        return self.kind, _SPECIFICS.sub("…", self.detail)[:60] if self.kind != "data" else ""


_SPECIFICS = re.compile(r"\b[A-Z]\w+\.\w+|: \{.*|'[^']*'|\b[a-e]:|\d+|\b(?:[A-DEHIJPT]\w{1,4})\b", re.DOTALL)


def count_requests(node: PlanNode | None) -> int:
    """Counts the subgraph requests of a plan."""
    match node:
        case None:
            return 0
        case SequenceNode(nodes=nodes) | ParallelNode(nodes=nodes):
            return sum(map(count_requests, nodes))
        case ConditionNode(node=node):
            return count_requests(node)
    return 1


class Graph:
    """A composed graph with its world of data, and a planner for each set of labels."""

    def __init__(self, schemas: Mapping[str, str], composed: Composed) -> None:
        self.schemas = schemas
        self.composed = composed
        self.supergraph = Supergraph.parse(composed.supergraph)
        self.api: GraphQLSchema = build_schema(composed.public)
        subgraphs = {name: SubgraphSchema(name, sdl) for name, sdl in schemas.items()}
        self.world = World(subgraphs, self.api)
        self._planners: dict[frozenset[str], Planner] = {}
        self.proved = 0

    @cached_property
    def served(self) -> ServedSubgraphs:
        return ServedSubgraphs(self.world)

    @cached_property
    def labels(self) -> frozenset[str]:
        """The labels of progressive overrides."""
        return frozenset(
            each.override[1]
            for graph in self.world.subgraphs.values()
            for type_ in graph.types.values()
            for each in type_.fields.values()
            if each.override and each.override[1]
        )

    def get_planner(self, labels: frozenset[str]) -> Planner:
        if labels not in self._planners:
            self._planners[labels] = Planner(self.supergraph, labels)
        return self._planners[labels]

    @cached_property
    def failing(self) -> ServedSubgraphs | None:
        """The subgraphs on a world in which some fields fail; None where nullability differs.

        Where a field is non-null in one subgraph and nullable in another, null rightly propagates further
        than the public schema says.
        """
        if not self.world.is_nullability_uniform():
            return None
        return ServedSubgraphs(World(self.world.subgraphs, self.api, fault_rate=FAULT_RATE))

    def compare(self, request: Request, labels: frozenset[str] = frozenset()) -> Iterator[Finding | None]:
        """The differences for each set of variables, with and without failing fields."""
        document = parse(request.text)
        try:
            with limit_cpu_time(PLANNING_SECONDS):
                compiled = self.compile(request, labels)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            if not isinstance(error, UnplannableOperationError):
                yield Finding("exception", f"{type(error).__name__}: {error}", request, labels)
            elif self._is_answerable(document, request.name, labels):
                yield Finding("unplannable", str(error), request, labels)
            return
        if too_many := self._find_excess_requests(document, request, labels):
            yield Finding("fetches", too_many, request, labels)
        for served in filter(None, (self.served, self.failing)):
            for variables in request.variables:
                one = replace(request, variables=(variables,))
                difference = asyncio.run(compare_run(served, served, compiled, one, labels))
                yield Finding(*difference, one, labels) if difference else None

    def compile(self, request: Request, labels: frozenset[str] = frozenset()) -> CompiledOperation:
        """Plans and compiles the operation of a request."""
        return compile_operation(
            self.get_planner(labels), self._build_operation(parse(request.text), request.name)
        )

    def _find_excess_requests(
        self, document: DocumentNode, request: Request, labels: frozenset[str]
    ) -> str | None:
        """A description of the plan of a small query, if it makes more requests than are needed."""
        operation = self._build_operation(document, request.name)
        if operation.node.operation is not OperationType.QUERY:
            return None
        node = self.get_planner(labels).start(operation).plan.node
        assert not isinstance(node, SubscriptionNode | DeferNode)
        taken = count_requests(node)
        if not 1 < taken <= MAX_REQUESTS:
            return None
        minimum = MinimalRequests(self.world, self.supergraph, labels).find(document, operation.node, taken)
        self.proved += minimum == taken
        return (
            f"{taken} requests, but {minimum} are sufficient:\n{node}"
            if minimum and minimum < taken
            else None
        )

    def _is_answerable(self, document: DocumentNode, name: str | None, labels: frozenset[str]) -> bool:
        return Reachability(self.world, labels).can_answer(
            document, self._build_operation(document, name).node
        )

    def _build_operation(self, document: DocumentNode, name: str | None) -> Operation:
        nodes = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        [node] = [each for each in nodes if name is None or (each.name and each.name.value == name)]
        return build_operation(self.supergraph.public_schema, document, node)


async def compare_run(
    served: ServedSubgraphs,
    transport: Transport,
    compiled: CompiledOperation,
    request: Request,
    labels: frozenset[str] = frozenset(),
) -> tuple[str, str] | None:
    """Runs an operation with one set of variables; returns its difference from the oracle."""
    [variables] = request.variables
    expected = compute_answer(served.world, parse(request.text), request.name, variables)
    coerced = coerce_variables(compiled.operation, variables)
    assert isinstance(coerced, dict), coerced
    run = served.run = Run(labels)
    try:
        actual = await execute(compiled, ExecutionRequest(coerced, transport, CONTEXT))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        return "exception", f"{type(error).__name__}: {error}"
    return _find_difference(expected, actual, run)


def _find_difference(expected: ExpectedResult, actual: ActualResult, run: Run) -> tuple[str, str] | None:
    """Finds what is wrong: a request that a subgraph must not receive, the data, or the errors."""
    if run.violations:
        return "violation", run.violations[0]
    if expected.data != actual.data:
        details = "\n".join(_list_differences(expected.data, actual.data, ""))
        return "data", f"{details}\nerrors: {actual.errors[:3]}"
    return _compare_errors(expected, actual)


def _compare_errors(expected: ExpectedResult, actual: ActualResult) -> tuple[str, str] | None:
    """Compares errors: each expected error must be reported at its null, and no other error may occur.

    Where several non-null fields of one object fail, the error of any of them may be reported (GraphQL,
    6.4.4), depending on their order.
    """
    wanted = {tuple(error.path or ()) for error in expected.errors or ()}
    found = {tuple(error.get("path", ())) for error in actual.errors}
    explained = {path[:length] for path in found for length in range(len(path) + 1)}
    for path in sorted(
        (path for path in wanted if _find_null(expected.data, path) not in explained), key=str
    ):
        return "errors", f"missing: {path} of {actual.errors[:2]}"
    for path in sorted(found - wanted, key=str):
        if not _is_below_null(expected.data, path):
            return "errors", f"unexpected: {path}"
    return None


def _find_null(data: Any, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Finds the path of the null that covers a path: the value itself or an enclosing one."""
    for length, segment in enumerate(path):
        if data is None:
            return path[:length]
        data = data[segment]
    return path


def _is_below_null(data: Any, path: tuple[str | int, ...]) -> bool:
    """Whether something above a path is null; nothing is above a path that was not selected."""
    for segment in path:
        if data is None:
            return True
        if isinstance(data, dict) and segment not in data:
            return False
        data = data[segment]
    return False


def _list_differences(expected: Any, actual: Any, path: str) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in {**expected, **actual}:
            yield from _list_differences(
                expected.get(key, "ABSENT"), actual.get(key, "ABSENT"), f"{path}.{key}"
            )
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from _list_differences(one, other, f"{path}.{index}")
    elif expected != actual:
        yield f"{path}: {str(expected)[:100]!r} expected, got {str(actual)[:100]!r}"


def compose_graphs(graphs: Sequence[Mapping[str, str]]) -> list[Composed | CompositionError]:
    """Composes many sets of subgraphs."""
    parts = [([Subgraph(name, f"http://{name}", Path()) for name in each], each) for each in graphs]
    return compose_each(parts)


@dataclass(slots=True)
class Counts:
    """How much was compared: graphs, operations, runs (one for each set of variables) and their fetches.

    `refused` counts the graphs that do not compose, or whose subgraphs contradict one another; `proved` the
    operations of several requests that are known to need as many.
    """

    graphs: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    operations: int = 0
    proved: int = 0
    runs: int = 0
    fetches: int = 0


_MISSING_FIELD = re.compile(r'from subgraph "(\w+)":\s+(?:- )?(?:cannot find )?field "(\w+)\.(\w+)"')
_ROUNDS = 6
_BATCH = 50


def generate_graphs(
    seeds: Sequence[int],
) -> Iterator[tuple[int, Mapping[str, str], Composed | CompositionError]]:
    """Generates the graphs of seeds, and adds the fields that the composer reports as missing."""
    added: dict[int, list[tuple[str, str, str]]] = {seed: [] for seed in seeds}
    done: dict[int, tuple[Mapping[str, str], Composed | CompositionError]] = {}
    following = list(seeds)
    for _ in range(_ROUNDS):
        texts = [generate_graph(seed, added[seed]) for seed in following]
        done |= dict(zip(following, zip(texts, compose_graphs(texts), strict=True), strict=True))
        following = [seed for seed in following if _add_missing_field(done[seed][1], added[seed])]
    for seed in seeds:
        yield seed, *done[seed]


def _add_missing_field(found: Composed | CompositionError, added: list[tuple[str, str, str]]) -> bool:
    """Adds the first field that the composer reports as missing; false if there is none."""
    problems = found.problems if isinstance(found, CompositionError) else ()
    for match in (match for text in problems for match in _MISSING_FIELD.finditer(text)):
        missing = (match[1], match[2], match[3])
        if missing not in added:
            added.append(missing)
            return True
    return False


def open_graph(
    schemas: Mapping[str, str], found: Composed | CompositionError, counts: Counts | None = None
) -> Graph | None:
    """Opens a graph, unless it does not compose or its subgraphs contradict each other, which is counted."""
    refused = counts.refused if counts else Counter[str]()
    if isinstance(found, CompositionError):
        refused[found.problems[0].rpartition("(")[2].rstrip(")")[:40]] += 1
        return None
    try:
        graph = Graph(schemas, found)
        graph.world.check()
    except (InconsistentError, RecursionError) as error:
        refused[type(error).__name__] += 1
        return None
    return graph


def fuzz(
    seeds: Sequence[int], operations: int, counts: Counts, limit: int | None = None
) -> Iterator[tuple[int, Graph, Finding]]:
    """The findings of some seeds, or the first of them."""
    found = (
        finding
        for start in range(0, len(seeds), _BATCH)
        for seed, schemas, result in generate_graphs(seeds[start : start + _BATCH])
        for finding in _fuzz_graph(seed, schemas, result, operations, counts)
    )
    yield from islice(found, limit)


def _fuzz_graph(
    seed: int,
    schemas: Mapping[str, str],
    found: Composed | CompositionError,
    operations: int,
    counts: Counts,
) -> Iterator[tuple[int, Graph, Finding]]:
    graph = open_graph(schemas, found, counts)
    if graph is None:
        return
    counts.graphs += 1
    random = Random(seed)  # noqa: S311 - a seed makes it repeatable
    writer = Operations(graph.api, random)
    for _ in range(operations):
        if request := writer.generate_request():
            labels = frozenset(each for each in sorted(graph.labels) if random.random() < 0.5)
            counts.operations += 1
            for finding in graph.compare(request, labels):
                counts.runs += 1
                counts.fetches += len(graph.served.run.fetches)
                if finding:
                    yield seed, graph, finding
    counts.proved += graph.proved
