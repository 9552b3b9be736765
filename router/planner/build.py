"""Building the plan: fetch steps become waves of parallel fetches, one wave after the other.

A step runs in the wave of its depth. Of the steps

    [0] A { me { id } }
    [1] B at me after 0 { email }
    [2] C at me after 0 { size }
    [3] D at me after 0, 2 { fee }

the waves are 0, then 1 and 2, then 3. Entity fetches of one wave that go to one subgraph are sent in one
request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from router.operation.conditions import Conditions
from router.operation.deadline import Deadline
from router.planner.fetch_graph import FetchGraph
from router.planner.merges import compute_depths
from router.planner.plan import (
    BatchFetchNode,
    ConditionNode,
    FetchNode,
    FlattenNode,
    Output,
    ParallelNode,
    PlanNode,
    SequenceNode,
    SubscriptionNode,
)
from router.planner.steps import FetchStep
from router.supergraph import Supergraph

_ConditionalFetch: TypeAlias = tuple[FetchNode | FlattenNode, Conditions]


@dataclass(frozen=True, slots=True)
class OperationHeader:
    """What fetches repeat of an operation besides its selections.

    `variables` have their types; `directives` are by the kind of the fetch, with the variables in them.
    """

    variables: Mapping[str, str]
    directives: Mapping[str, tuple[str, frozenset[str]]]


def arrange_steps(
    supergraph: Supergraph, graph: FetchGraph, header: OperationHeader, deadline: Deadline
) -> list[PlanNode]:
    """The waves of a fetch graph, one node for each."""
    depth = compute_depths(graph.steps)
    waves: dict[int, list[FetchStep]] = defaultdict(list)
    for step in graph.steps:
        deadline.check()
        waves[depth[step]].append(step)
    return [
        _build_parallel(
            _batch_entity_fetches([_build_fetch(supergraph, step, header) for step in waves[level]])
        )
        for level in sorted(waves)
    ]


def build_sequence(nodes: list[PlanNode]) -> PlanNode | None:
    """One node that runs others one after the other; None if there are none."""
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    return SequenceNode(tuple(nodes))


def build_subscription(nodes: list[PlanNode]) -> SubscriptionNode:
    """The plan of a subscription, whose first fetch opens the stream."""
    primary, *rest = nodes
    assert isinstance(primary, FetchNode), "a subscription has one root field, which is unconditional"
    return SubscriptionNode(primary, build_sequence(rest))


def _build_parallel(nodes: list[PlanNode]) -> PlanNode:
    return nodes[0] if len(nodes) == 1 else ParallelNode(tuple(nodes))


def _build_fetch(supergraph: Supergraph, step: FetchStep, header: OperationHeader) -> _ConditionalFetch:
    output = step.selection.build_output(step.conditions)
    directives, mentioned = header.directives[step.kind]
    used = sorted(_find_variables(output) | mentioned)
    fetch = FetchNode(
        supergraph.by_id[step.graph].name,
        step.kind,
        output,
        tuple((name, header.variables[name]) for name in used),
        step.build_representations(),
        step.contexts,
        directives,
    )
    return FlattenNode(step.path, fetch) if step.path else fetch, step.conditions


def _add_conditions(node: PlanNode, conditions: Conditions) -> PlanNode:
    for variable, value in sorted(conditions, reverse=True):
        node = ConditionNode(variable, value, node)
    return node


def _batch_entity_fetches(nodes: list[_ConditionalFetch]) -> list[PlanNode]:
    """Puts the entity fetches of one wave that go to one subgraph into one node.

    Conditions that all of them have are stated around it, others on each of them.
    """
    together: dict[str, list[FlattenNode]] = defaultdict(list)
    others: list[PlanNode] = []
    for node, conditions in nodes:
        if isinstance(node, FlattenNode) and node.fetch.representations:
            together[node.fetch.subgraph].append(replace(node, conditions=conditions))
        else:
            others.append(_add_conditions(node, conditions))
    for subgraph, entries in together.items():
        shared = frozenset.intersection(*(each.conditions for each in entries))
        own = tuple(replace(each, conditions=each.conditions - shared) for each in entries)
        others.append(_add_conditions(own[0] if len(own) == 1 else BatchFetchNode(subgraph, own), shared))
    return others


def _find_variables(output: Output) -> set[str]:
    return set(_iterate_variables(output))


def _iterate_variables(output: Output) -> Iterator[str]:
    for field in output.fields:
        yield from field.variables
        yield from (variable for variable, _ in field.conditions)
        if field.output:
            yield from _iterate_variables(field.output)
    for _, narrowed in output.narrowed:
        yield from _iterate_variables(narrowed)
