"""The attack surfaces; importing a module registers its attacks."""

from tests.fuzz.surfaces import (
    batches,
    connections,
    documents,
    event_streams,
    files,
    graph,
    headers,
    http,
    passwords,
    tokens,
    variables,
    websockets,
)

__all__ = [
    "batches",
    "connections",
    "documents",
    "event_streams",
    "files",
    "graph",
    "headers",
    "http",
    "passwords",
    "tokens",
    "variables",
    "websockets",
]
