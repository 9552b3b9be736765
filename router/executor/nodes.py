"""Plan nodes, compiled: each becomes a coroutine function that runs its part of the plan."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from router.executor.fetches import (
    CompileContext,
    ContextualEntityFetch,
    EntityFetch,
    NestedRootFetch,
    RootFetch,
)
from router.executor.run import Run, Runnable
from router.planner.plan import (
    BatchFetchNode,
    ConditionNode,
    FetchNode,
    FetchPath,
    FlattenNode,
    ParallelNode,
    PlanNode,
    SequenceNode,
)


def compile_node(node: PlanNode, context: CompileContext) -> Runnable:
    """The node as a function of a run."""
    match node:
        case SequenceNode():
            return _compile_sequence([compile_node(each, context) for each in node.nodes])
        case ParallelNode():
            return _compile_parallel([compile_node(each, context) for each in node.nodes])
        case ConditionNode():
            return _compile_condition(node, compile_node(node.node, context))
    return _compile_fetch(node, context)


def _compile_fetch(node: FetchNode | FlattenNode | BatchFetchNode, context: CompileContext) -> Runnable:
    match node:
        case FetchNode():
            return RootFetch(node, context)
        case FlattenNode(fetch=FetchNode(representations=())):
            return NestedRootFetch(_extend_paths(node, context.root), context)
        case FlattenNode():
            return _compile_entity_fetch((node,), context)
        case BatchFetchNode():
            return _compile_entity_fetch(node.entries, context)
    assert_never(node)


def _extend_paths(node: FlattenNode, root: FetchPath) -> FlattenNode:
    """The node with its paths below another root."""
    contexts = tuple(replace(each, path=(*root, *each.path)) for each in node.fetch.contexts)
    return replace(node, path=(*root, *node.path), fetch=replace(node.fetch, contexts=contexts))


def _compile_entity_fetch(nodes: Sequence[FlattenNode], context: CompileContext) -> Runnable:
    nodes = [_extend_paths(node, context.root) for node in nodes]
    is_contextual = any(node.fetch.contexts for node in nodes)
    return ContextualEntityFetch(nodes, context) if is_contextual else EntityFetch(nodes, context)


def _compile_sequence(nodes: Sequence[Runnable]) -> Runnable:
    async def run_sequence(run: Run) -> None:
        for node in nodes:
            await node(run)

    return run_sequence


def _compile_parallel(nodes: Sequence[Runnable]) -> Runnable:
    async def run_parallel(run: Run) -> None:
        async with asyncio.TaskGroup() as group:
            for node in nodes:
                group.create_task(_run_node(node, run))

    return run_parallel


async def _run_node(node: Runnable, run: Run) -> None:
    await node(run)


def _compile_condition(condition: ConditionNode, node: Runnable) -> Runnable:
    async def run_if(run: Run) -> None:
        if run.variables.get(condition.variable) is condition.value:
            await node(run)

    return run_if
