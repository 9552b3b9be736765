"""The query planner: an operation and a supergraph in, a plan of fetches out; pure, without any I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from graphql import VariableDefinitionNode, print_ast

from router.operation import Operation
from router.operation.deadline import NEVER, Deadline, PlanningTimeoutError
from router.operation.deferral import Deferral, ExecutionGroup
from router.operation.normalize import normalize, read_directives
from router.operation.selections import TYPENAME, NormalizedOperation, SelectionSet
from router.planner.build import Head, arranged, in_sequence, subscribed
from router.planner.choice import Cost, choose, cost_of
from router.planner.context_variables import ContextVariables
from router.planner.errors import UnplannableError
from router.planner.fetches import FetchGraph, FetchGraphBuilder
from router.planner.graph import QueryGraph
from router.planner.merges import merged
from router.planner.moves import Node, Select
from router.planner.names import ResponseNames
from router.planner.paths import Leaf, Path
from router.planner.plan import Defer, Deferred, PlanNode, QueryPlan
from router.planner.routes import PathFinder
from router.supergraph import Supergraph

__all__ = ["Planner", "Planning", "PlanningTimeoutError", "UnplannableError", "plan"]


def plan(supergraph: Supergraph, operation: Operation, labels: frozenset[str] = frozenset()) -> QueryPlan:
    """The plan of an operation, with the progressive overrides of some labels active.

    Raises:
        UnplannableError: some field cannot be resolved by any combination of subgraphs.
    """
    return Planner(supergraph, labels).planning(operation).plan


class Planner:
    """A supergraph made ready for planning; what it learns of the graph serves every later operation."""

    def __init__(self, supergraph: Supergraph, labels: frozenset[str] = frozenset()) -> None:
        self.supergraph = supergraph
        self.graph = QueryGraph(supergraph, labels)
        self.finder = PathFinder(self.graph)

    def planning(
        self, operation: Operation, deferral: Deferral = None, deadline: Deadline = NEVER
    ) -> Planning:
        """The stages of planning one operation, each worked out when it is asked for.

        A stage raises `PlanningTimeoutError` once the deadline is over.
        """
        return Planning(self, operation, ResponseNames(self.supergraph, deadline), deferral, deadline)


@dataclass(frozen=True)
class Planning:
    """The planning of one operation, stage by stage; every stage's artifact can be printed."""

    planner: Planner
    operation: Operation
    names: ResponseNames
    deferral: Deferral
    deadline: Deadline

    @cached_property
    def normalized(self) -> NormalizedOperation:
        """1. The operation in normal form."""
        schema = self.planner.supergraph.public_schema
        return normalize(self.operation, schema, self.deferral, self.deadline)

    @property
    def graph(self) -> QueryGraph:
        """The moves that the supergraph allows, whatever the operation."""
        return self.planner.graph

    @cached_property
    def paths(self) -> tuple[tuple[Leaf, ...], ...]:
        """2. Every path to every leaf, by group of root fields that are asked together."""
        return tuple(_together(self._found(group) for group in self._groups()))

    @cached_property
    def chosen(self) -> tuple[tuple[Path, ...], ...]:
        """3. One path for each leaf."""
        return tuple(choose(leaves, self.deadline) for leaves in self.paths)

    @cached_property
    def fetches(self) -> tuple[FetchGraph, ...]:
        """4. The paths laid together into steps."""
        variables = ContextVariables(self._declared)
        return tuple(merged(self._laid(paths, variables), self.deadline) for paths in self.chosen)

    def _laid(self, paths: tuple[Path, ...], variables: ContextVariables) -> FetchGraph:
        graph, kind = self.planner.graph, self.normalized.kind
        return FetchGraphBuilder(graph, kind, self.names, variables, self.deadline).build(paths)

    @cached_property
    def plan(self) -> QueryPlan:
        """5. The steps in the order in which they run."""
        nodes = self._arranged(None)
        contextual = any(step.contexts for graph in self.fetches for step in graph.steps)
        if self.normalized.kind == "subscription":
            return QueryPlan(subscribed(nodes), self.names, contextual)
        deferred = tuple(
            Deferred(group, in_sequence(self._arranged(group)))
            for group in dict.fromkeys(self.normalized.selections.groups())
        )
        primary = in_sequence(nodes)
        return QueryPlan(Defer(primary, deferred) if deferred else primary, self.names, contextual)

    def _arranged(self, group: ExecutionGroup | None) -> list[PlanNode]:
        """The steps of one group, or those of the first answer, in the order in which they run."""
        supergraph, head = self.planner.supergraph, self._head
        parts = (graph.part(group) for graph in self.fetches)
        return [node for part in parts for node in arranged(supergraph, part, head, self.deadline)]

    @cached_property
    def _head(self) -> Head:
        schema, node = self.planner.supergraph.public_schema, self.operation.node
        own = read_directives(schema, node.operation.name, [node])
        further = read_directives(schema, "QUERY", [node])
        return Head(self._declared, {"query": further, "entities": further, self.normalized.kind: own})

    @cached_property
    def _declared(self) -> Mapping[str, str]:
        """The types of the operation's variables."""
        definitions = self.operation.node.variable_definitions or ()
        return {each.variable.name.value: _declared(each) for each in definitions}

    @property
    def _finder(self) -> PathFinder:
        return self.planner.finder.until(self.deadline)

    def _groups(self) -> Iterator[SelectionSet]:
        """The root fields of a query together, those of a mutation one after the other."""
        selections = _without_typename(self.normalized.selections)
        if self.normalized.kind == "query":
            if selections.fields or selections.deferred:
                yield selections
            return
        # A field that is asked for several reasons runs once, whichever of them hold.
        for _, same in groupby(selections.fields, key=lambda field: field.response_name):
            yield replace(selections, fields=tuple(same))

    def _found(self, group: SelectionSet) -> tuple[Leaf, ...]:
        starts = self.planner.graph.roots(self.normalized.kind)
        if self.normalized.kind == "query":
            return self._finder.leaves(starts, group)
        return min(self._from_each(starts, group), key=self._least)

    def _least(self, leaves: tuple[Leaf, ...]) -> Cost:
        """What leaves cost if their paths are chosen well."""
        return cost_of(choose(leaves, self.deadline), self.deadline)

    def _from_each(self, starts: list[Node], group: SelectionSet) -> list[tuple[Leaf, ...]]:
        """The leaves of a root field that must run once, from each subgraph that could run it."""
        found, problem = [], UnplannableError((group.fields[0].response_name,), group.type_name)
        for start in starts:
            try:
                found.append(self._finder.leaves([start], group))
            except UnplannableError as error:
                problem = error
        if not found:
            raise problem
        return found


def _together(groups: Iterable[tuple[Leaf, ...]]) -> Iterator[tuple[Leaf, ...]]:
    """Joins a mutation's neighbouring fields of one subgraph, which runs them in order.

    What a field returns is complete before the next one runs, so only the last may need further fetches.
    """
    joined: tuple[Leaf, ...] = ()
    for leaves in groups:
        if joined and not (_is_whole(joined) and _start(joined) == _start(leaves)):
            yield joined
            joined = ()
        joined += leaves
    if joined:
        yield joined


def _is_whole(leaves: Iterable[Leaf]) -> bool:
    """Whether the fetch that starts with some leaves brings all of them."""
    return all(leaf.options[0].jumps == 0 for leaf in leaves)


def _start(leaves: Sequence[Leaf]) -> str:
    """The subgraph in which the field of some leaves runs."""
    return next(move for move in leaves[0].options[0].moves if isinstance(move, Select)).move.source.graph


def _without_typename(selections: SelectionSet) -> SelectionSet:
    """A selection of a root type without its name, which no subgraph needs to be asked for."""
    fields = tuple(each for each in selections.fields if each.name != TYPENAME)
    deferred = {group: _without_typename(later) for group, later in selections.deferred.items()}
    return replace(selections, fields=fields, deferred=deferred)


def _declared(variable: VariableDefinitionNode) -> str:
    """The type of a variable with its default, which lets a nullable variable stand where null may not."""
    default = f" = {print_ast(variable.default_value)}" if variable.default_value else ""
    return f"{print_ast(variable.type)}{default}"
