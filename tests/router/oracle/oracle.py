"""The oracle: the expected answer, by execution of the public schema on the world's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLResolveInfo, execute_sync

from tests.router.oracle.world import World, WorldObject


@dataclass(slots=True)
class _Effects:
    count: int = 0


def compute_answer(
    world: World, document: DocumentNode, name: str | None, variables: Mapping[str, Any]
) -> ExecutionResult:
    """Computes the expected answer to an operation."""

    def resolve(source: WorldObject | None, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        root = info.parent_type.name
        obj = source or WorldObject(root, root)
        if root == "Mutation":
            info.context.count += 1
        effect = info.context.count if root == "Mutation" else 0
        return world.resolve(obj, info.field_name, arguments, effect)

    return execute_sync(
        world.api,
        document,
        context_value=_Effects(),
        variable_values=dict(variables),
        operation_name=name,
        field_resolver=resolve,
        type_resolver=lambda value, _info, _type: value.type,
    )
