"""Subgraph errors: what a subgraph reports becomes an error of the client's response.

The path of an error is made to start at the root of the client's response and to have the client's response
names: where a fetch for the authors of `books` reports the path `["_entities", 1, "name"]`, and the second
representation is that of the first book's author, the client's path is `["books", 0, "author", "name"]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from router.executor.documents import get_entities_response_name
from router.executor.entities import Batch, ResponsePath
from router.planner.names import ResponseNames
from router.planner.plan import LIST, FetchPath, Narrowing

Errors: TypeAlias = list[dict[str, Any]]


def describe_error(error: Mapping[str, Any]) -> dict[str, Any]:
    """A subgraph's error without its path; a subgraph may send anything as one."""
    described: dict[str, Any] = {"message": str(error.get("message", "The service reported an error."))}
    extensions = error.get("extensions")
    if isinstance(extensions, dict) and extensions:
        described["extensions"] = extensions
    return described


def anchor_error(
    error: Mapping[str, Any], anchor: ResponsePath, below: Any, names: ResponseNames
) -> dict[str, Any]:
    """A subgraph's error as the client reads it, at a path below an anchor in the data.

    The path below is what the subgraph sent, so it may be anything.
    """
    anchored = describe_error(error)
    segments = below if isinstance(below, list) else []
    if anchor or segments:
        anchored["path"] = _to_client_path((*anchor, *segments), names)
    return anchored


def group_by_entity(errors: Errors, batches: Sequence[Batch]) -> tuple[dict[tuple[int, int], Errors], Errors]:
    """The errors of single entities, by batch and position, and all others."""
    by_entity: dict[tuple[int, int], Errors] = {}
    others: Errors = []
    if not errors:
        return by_entity, others
    indexes = {get_entities_response_name(index): index for index in range(len(batches))}
    for error in errors:
        match error.get("path"):
            case [str(key), int(position), *_] if key in indexes:
                index = indexes[key]
                if 0 <= position < len(batches[index].waiting):
                    by_entity.setdefault((index, position), []).append(error)
                    continue
        others.append(error)
    return by_entity, others


def split_by_event(errors: Errors, count: int) -> list[Errors]:
    """The errors of a run over several events, for each event; one that is about no event is about all."""
    by_event: list[Errors] = [[] for _ in range(count)]
    for error in errors:
        match error.get("path"):
            case [int(index), *path]:
                by_event[index].append({**error, "path": path})
            case _:
                for each in by_event:
                    each.append({**error})
    return by_event


def has_client_field(path: FetchPath, error: Mapping[str, Any], names: ResponseNames) -> bool:
    """Whether an entity's error is about a field that the client has selected."""
    keys = tuple(each for each in path if isinstance(each, str) and each != LIST)
    below = error["path"][2:3]
    return bool(below) and isinstance(below[0], str) and names.get_client_name(keys, below[0]) is not None


def find_static_prefix(path: FetchPath) -> ResponsePath:
    """The beginning of a path that is the same for all objects: up to the first list or type condition.

    Of events it is the same for each, below its root.
    """
    prefix: list[str] = []
    for segment in path[1:] if path[:1] == (LIST,) else path:
        if segment == LIST or isinstance(segment, Narrowing):
            break
        prefix.append(segment)
    return tuple(prefix)


def _to_client_path(path: ResponsePath, names: ResponseNames) -> list[str | int]:
    """A path with the client's response names, up to the first field that the client has not selected."""
    client_path: list[str | int] = []
    keys: tuple[str, ...] = ()
    for segment in path:
        if isinstance(segment, int):
            client_path.append(segment)
            continue
        if not isinstance(segment, str):
            break
        name = names.get_client_name(keys, segment)
        if name is None:
            break
        client_path.append(name)
        keys = (*keys, segment)
    return client_path
