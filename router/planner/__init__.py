"""The query planner: turns an operation into a plan of fetches on a supergraph, without any I/O.

It works in stages: the operation in normal form (`operation.normalize`), the paths to each leaf through the
query graph (`graph`, `routes`, `selection_walk`), one chosen path for each leaf (`choice`), the fetch graph
(`fetch_graph`, `steps`, `merges`), and the plan (`build`, `plan`). `memorable plan --stage` prints them.
"""

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
from router.planner.build import OperationHeader, arrange_steps, build_sequence, build_subscription
from router.planner.choice import PlanCost, choose_paths, measure_cost
from router.planner.context_variables import ContextVariables
from router.planner.errors import UnplannableError
from router.planner.fetch_graph import FetchGraph, FetchGraphBuilder
from router.planner.graph import QueryGraph
from router.planner.merges import merge_steps
from router.planner.moves import FieldMove, Node
from router.planner.names import ResponseNames
from router.planner.paths import GraphPath, Leaf
from router.planner.plan import DeferNode, DeferredNode, PlanNode, QueryPlan
from router.planner.routes import RouteFinder
from router.supergraph import Supergraph

__all__ = ["Planner", "Planning", "PlanningTimeoutError", "UnplannableError", "plan"]


def plan(supergraph: Supergraph, operation: Operation, labels: frozenset[str] = frozenset()) -> QueryPlan:
    """The plan of an operation, with the progressive overrides of some labels active.

    Raises:
        UnplannableError: some field cannot be resolved by any combination of subgraphs.
    """
    return Planner(supergraph, labels).start(operation).plan


class Planner:
    """Plans operations on one supergraph; routes that it finds in the query graph are kept for later ones."""

    def __init__(self, supergraph: Supergraph, labels: frozenset[str] = frozenset()) -> None:
        self.supergraph = supergraph
        self.graph = QueryGraph(supergraph, labels)
        self.routes = RouteFinder(self.graph)

    def start(self, operation: Operation, deferral: Deferral = None, deadline: Deadline = NEVER) -> Planning:
        """Starts the planning of one operation; each stage runs when it is first read.

        A stage raises `PlanningTimeoutError` once the deadline has passed.
        """
        return Planning(self, operation, ResponseNames(self.supergraph, deadline), deferral, deadline)


@dataclass(frozen=True)
class Planning:
    """The planning of one operation in stages; the result of each can be printed."""

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
        """The query graph, which is the same for all operations."""
        return self.planner.graph

    @cached_property
    def paths(self) -> tuple[tuple[Leaf, ...], ...]:
        """2. The leaves with all their paths, by root fields that are fetched together."""
        return tuple(_join_mutation_fields(self._find_leaves(each) for each in self._group_root_fields()))

    @cached_property
    def chosen(self) -> tuple[tuple[GraphPath, ...], ...]:
        """3. One path for each leaf."""
        return tuple(choose_paths(leaves, self.deadline) for leaves in self.paths)

    @cached_property
    def fetches(self) -> tuple[FetchGraph, ...]:
        """4. The fetch graphs of the chosen paths, with their steps merged."""
        variables = ContextVariables(self._variable_types)
        return tuple(
            merge_steps(self._build_fetch_graph(paths, variables), self.deadline) for paths in self.chosen
        )

    def _build_fetch_graph(self, paths: tuple[GraphPath, ...], variables: ContextVariables) -> FetchGraph:
        graph, kind = self.planner.graph, self.normalized.kind
        return FetchGraphBuilder(graph, kind, self.names, variables, self.deadline).build(paths)

    @cached_property
    def plan(self) -> QueryPlan:
        """5. The plan: the steps in the order in which they run."""
        nodes = self._arrange(None)
        is_contextual = any(step.contexts for graph in self.fetches for step in graph.steps)
        if self.normalized.kind == "subscription":
            return QueryPlan(build_subscription(nodes), self.names, is_contextual)
        deferred = tuple(
            DeferredNode(group, build_sequence(self._arrange(group)))
            for group in dict.fromkeys(self.normalized.selections.iterate_execution_groups())
        )
        primary = build_sequence(nodes)
        return QueryPlan(DeferNode(primary, deferred) if deferred else primary, self.names, is_contextual)

    def _arrange(self, group: ExecutionGroup | None) -> list[PlanNode]:
        """The steps of an execution group, or of the initial response, in the order in which they run."""
        supergraph, header = self.planner.supergraph, self._header
        graphs = (graph.for_group(group) for graph in self.fetches)
        return [node for graph in graphs for node in arrange_steps(supergraph, graph, header, self.deadline)]

    @cached_property
    def _header(self) -> OperationHeader:
        schema, node = self.planner.supergraph.public_schema, self.operation.node
        own = read_directives(schema, node.operation.name, [node])
        further = read_directives(schema, "QUERY", [node])
        return OperationHeader(
            self._variable_types, {"query": further, "entities": further, self.normalized.kind: own}
        )

    @cached_property
    def _variable_types(self) -> Mapping[str, str]:
        """The types of the operation's variables, with their defaults."""
        definitions = self.operation.node.variable_definitions or ()
        return {each.variable.name.value: _print_type(each) for each in definitions}

    @property
    def _routes(self) -> RouteFinder:
        return self.planner.routes.with_deadline(self.deadline)

    def _group_root_fields(self) -> Iterator[SelectionSet]:
        """The root fields of a query together, those of a mutation one by one."""
        selections = _drop_typename(self.normalized.selections)
        if self.normalized.kind == "query":
            if selections.fields or selections.deferred:
                yield selections
            return
        # Alternatives of one field with different conditions: at most one of them runs.
        for _, same in groupby(selections.fields, key=lambda field: field.response_name):
            yield replace(selections, fields=tuple(same))

    def _find_leaves(self, root_fields: SelectionSet) -> tuple[Leaf, ...]:
        starts = self.planner.graph.get_roots(self.normalized.kind)
        if self.normalized.kind == "query":
            return self._routes.find_leaves(starts, root_fields)
        # The field must run in one subgraph only, whichever makes the cheapest plan.
        return min(self._find_from_each_subgraph(starts, root_fields), key=self._measure_least_cost)

    def _measure_least_cost(self, leaves: tuple[Leaf, ...]) -> PlanCost:
        """The cost of leaves with well chosen paths."""
        return measure_cost(choose_paths(leaves, self.deadline), self.deadline)

    def _find_from_each_subgraph(
        self, starts: list[Node], root_fields: SelectionSet
    ) -> list[tuple[Leaf, ...]]:
        """The leaves of a root field, once from each subgraph that can run it."""
        response_name, type_name = root_fields.fields[0].response_name, root_fields.type_name
        found, problem = [], UnplannableError((response_name,), type_name)
        for start in starts:
            try:
                found.append(self._routes.find_leaves([start], root_fields))
            except UnplannableError as error:
                problem = error
        if not found:
            raise problem
        return found


def _join_mutation_fields(groups: Iterable[tuple[Leaf, ...]]) -> Iterator[tuple[Leaf, ...]]:
    """Joins neighbouring fields of a mutation that one subgraph can run in order.

    A field's selections are fetched completely before the next field runs, so only the last of the joined
    ones may need further fetches.
    """
    joined: tuple[Leaf, ...] = ()
    for leaves in groups:
        if joined and not (_is_complete(joined) and _get_root_subgraph(joined) == _get_root_subgraph(leaves)):
            yield joined
            joined = ()
        joined += leaves
    if joined:
        yield joined


def _is_complete(leaves: Iterable[Leaf]) -> bool:
    """Whether the first fetch has all of some leaves."""
    return all(leaf.options[0].entity_moves == 0 for leaf in leaves)


def _get_root_subgraph(leaves: Sequence[Leaf]) -> str:
    """The subgraph that runs the root field of some leaves."""
    return next(move for move in leaves[0].options[0].moves if isinstance(move, FieldMove)).edge.source.graph


def _drop_typename(selections: SelectionSet) -> SelectionSet:
    """A root selection set without `__typename`, which the router resolves itself."""
    fields = tuple(each for each in selections.fields if each.name != TYPENAME)
    deferred = {group: _drop_typename(later) for group, later in selections.deferred.items()}
    return replace(selections, fields=fields, deferred=deferred)


def _print_type(variable: VariableDefinitionNode) -> str:
    """The type of a variable with its default, which allows a nullable variable at a non-null position."""
    default = f" = {print_ast(variable.default_value)}" if variable.default_value else ""
    return f"{print_ast(variable.type)}{default}"
