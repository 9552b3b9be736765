"""Arrange fetch steps into a plan: waves of parallel fetches, one wave after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from router.operation.deadline import Deadline
from router.operation.selections import Conditions
from router.planner.fetches import FetchGraph
from router.planner.merges import depths
from router.planner.plan import (
    BatchFetch,
    Condition,
    Fetch,
    Flatten,
    Output,
    Parallel,
    PlanNode,
    Sequence,
    Subscription,
)
from router.planner.steps import Step
from router.supergraph import Supergraph

_Asked: TypeAlias = tuple[Fetch | Flatten, Conditions]


@dataclass(frozen=True, slots=True)
class Head:
    """What an operation says before its selections, as far as its fetches repeat it.

    `variables` have their types, `directives` the kind of operation for which subgraphs define them, and the
    variables that they mention.
    """

    variables: Mapping[str, str]
    directives: Mapping[str, tuple[str, frozenset[str]]]


def arranged(supergraph: Supergraph, graph: FetchGraph, head: Head, deadline: Deadline) -> list[PlanNode]:
    """The waves of a fetch graph, each a node."""
    depth = depths(graph.steps)
    waves: dict[int, list[Step]] = defaultdict(list)
    for step in graph.steps:
        deadline.check()
        waves[depth[step]].append(step)
    return [
        _in_parallel(_batched([_node(supergraph, step, head) for step in waves[level]]))
        for level in sorted(waves)
    ]


def in_sequence(nodes: list[PlanNode]) -> PlanNode | None:
    """One node that runs all others one after the other."""
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    return Sequence(tuple(nodes))


def subscribed(nodes: list[PlanNode]) -> Subscription:
    """The plan of a subscription, whose first fetch opens the stream."""
    primary, *rest = nodes
    assert isinstance(primary, Fetch), "a subscription has one root field, and that without a condition"
    return Subscription(primary, in_sequence(rest))


def _in_parallel(nodes: list[PlanNode]) -> PlanNode:
    return nodes[0] if len(nodes) == 1 else Parallel(tuple(nodes))


def _node(supergraph: Supergraph, step: Step, head: Head) -> _Asked:
    output = step.selection.finished(step.conditions)
    directives, mentioned = head.directives[step.kind]
    used = sorted(_variables(output) | mentioned)
    fetch = Fetch(
        supergraph.by_id[step.graph].name,
        step.kind,
        output,
        tuple((name, head.variables[name]) for name in used),
        step.representations(),
        step.contexts,
        directives,
    )
    return Flatten(step.path, fetch) if step.path else fetch, step.conditions


def _conditional(node: PlanNode, conditions: Conditions) -> PlanNode:
    for variable, value in sorted(conditions, reverse=True):
        node = Condition(variable, value, node)
    return node


def _batched(nodes: list[_Asked]) -> list[PlanNode]:
    """Joins entity fetches of one wave that go to one subgraph, each with its conditions."""
    together: dict[str, list[Flatten]] = defaultdict(list)
    others: list[PlanNode] = []
    for node, conditions in nodes:
        if isinstance(node, Flatten) and node.fetch.representations:
            together[node.fetch.subgraph].append(replace(node, conditions=conditions))
        else:
            others.append(_conditional(node, conditions))
    for subgraph, entries in together.items():
        shared = frozenset.intersection(*(each.conditions for each in entries))
        own = tuple(replace(each, conditions=each.conditions - shared) for each in entries)
        others.append(_conditional(own[0] if len(own) == 1 else BatchFetch(subgraph, own), shared))
    return others


def _variables(output: Output) -> set[str]:
    return set(_mentioned(output))


def _mentioned(output: Output) -> Iterator[str]:
    for field in output.fields:
        yield from field.variables
        yield from (variable for variable, _ in field.conditions)
        if field.output:
            yield from _mentioned(field.output)
    for _, narrowed in output.narrowed:
        yield from _mentioned(narrowed)
