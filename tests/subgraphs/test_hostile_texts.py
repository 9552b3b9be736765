"""Hostile texts in every text argument of every schema get a small, typed answer quickly."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_list_type,
)

from infra.checkout import ROOT
from subgraphs.domains import DOMAINS
from tests.support.graph import GraphError, serve_graph
from tests.support.subgraph import SubgraphClient, run_subgraph
from tests.support.tokens import sign_token, write_signing_key

HOSTILE = {
    "nul": "a\0b",
    "surrogate": "a\ud800b",
    "a megabyte": "x" * 1_000_000,
    "bidirectional": "a\u202eb\u2066c",
    "escape": "\x1b[2J\x1b]0;owned\x07",
    "combining bomb": "a" + "\u0301" * 30_000 + "\u0327" * 30_000,
    "short combining bomb": "a" + "\u0301\u0327" * 4_900,
    "hidden": "\u200b" * 9_000,
    "expanding": "\ufdfa" * 9_000,
}
CONSENTED = {
    "me": {
        "consents": [
            {"purpose": purpose, "revokedAt": None} for purpose in ("CHILD_PROFILE", "AI_PROCESSING")
        ]
    },
    "book": GraphError("NOT_FOUND", "Book 'book_1' was not found."),
    "page": GraphError("NOT_FOUND", "Page 'book_1' was not found."),
}
TYPED = {
    *("BAD_USER_INPUT", "NOT_FOUND", "BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED", "CONFLICT"),
    *("DEPENDENCY_FAILED", "OPERATION_TOO_LARGE"),
}
MAX_ANSWER_LENGTH = 20_000


def load_schema(domain: str) -> GraphQLSchema:
    return build_schema((ROOT / "schema" / f"{domain}.graphql").read_text(), assume_valid=True)


def generate_operations(domain: str) -> Iterator[tuple[str, str, dict[str, Any], list[tuple[str, ...]]]]:
    """Generates each field with arguments: its name, a document, variables and the paths of texts in them."""
    schema = load_schema(domain)
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        for name, field in root.fields.items() if root else ():
            if not name.startswith("_") and field.args:
                yield f"{kind} {name}", *_build_document(kind, name, field.args, field.type, "%s")
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and type_ not in (
            schema.query_type,
            schema.mutation_type,
            schema.subscription_type,
        ):
            for name, field in type_.fields.items():
                if field.args:
                    around = (
                        f'{{ _entities(representations: [{{__typename: "{type_.name}", id: "usr_hostile"}}]) '
                        f"{{ ... on {type_.name} %s }} }}"
                    )
                    yield (
                        f"{type_.name}.{name}",
                        *_build_document("query", name, field.args, field.type, around),
                    )


def _build_document(
    kind: str, name: str, args: Mapping[str, GraphQLArgument], answer: Any, around: str
) -> tuple[str, dict[str, Any], list[tuple[str, ...]]]:
    declared = ", ".join(f"${arg}: {each.type}" for arg, each in args.items())
    given = ", ".join(f"{arg}: ${arg}" for arg in args)
    selected = "" if is_leaf_type(get_named_type(answer)) else " { __typename }"
    call = f"{{ {name}({given}){selected} }}"
    variables = {arg: _build_value(each.type) for arg, each in args.items()}
    places = [path for arg, each in args.items() for path in _find_texts(each.type, (arg,))]
    return f"{kind} ({declared}) {around % call}", variables, places


def _build_value(type_: GraphQLInputType) -> Any:
    """Builds a valid value of a type."""
    bare: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if is_list_type(bare):
        return [_build_value(bare.of_type)]
    named: GraphQLNamedType = get_named_type(bare)
    match named:
        case GraphQLEnumType():
            return next(iter(named.values))
        case GraphQLInputObjectType():
            return {name: _build_value(each.type) for name, each in named.fields.items()}
    return {"Int": 1, "Float": 1.0, "Boolean": True, "ID": "book_1"}.get(named.name, "2020-05")


def _find_texts(type_: GraphQLInputType, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        fields: Mapping[str, GraphQLInputField] = named.fields
        for name, each in fields.items():
            yield from _find_texts(each.type, (*path, name))
    elif named.name in {"String", "ID"}:
        yield path


def _replace_text(variables: Any, path: tuple[str, ...], text: str) -> Any:
    if not path:
        return [text] if isinstance(variables, list) else text
    name, *rest = path
    return variables | {name: _replace_text(variables[name], tuple(rest), text)}


@pytest.fixture(scope="module")
async def clients(
    servers: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, SubgraphClient]]:
    key: Path = write_signing_key(tmp_path_factory.mktemp("keys"))
    async with AsyncExitStack() as stack:
        graph = await stack.enter_async_context(serve_graph(CONSENTED))
        environ = {**servers, "GRAPH_URL": graph.url, "AUTH_SIGNING_KEY_FILE": str(key)}
        yield {domain: await stack.enter_async_context(run_subgraph(domain, environ)) for domain in DOMAINS}


def test_every_text_argument_is_found() -> None:
    found = {domain: sum(len(places) for *_, places in generate_operations(domain)) for domain in DOMAINS}
    assert found == {"auth": 9, "books": 28, "ai": 6, "orders": 19, "print": 3}


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("domain", DOMAINS)
async def test_hostile_texts_in_operations_get_a_typed_answer_quickly(
    clients: Mapping[str, SubgraphClient], domain: str, hostile: str
) -> None:
    for name, document, variables, places in generate_operations(domain):
        for place in places:
            body = {"query": document, "variables": _replace_text(variables, place, HOSTILE[hostile])}
            before = time.thread_time()
            response = await clients[domain].http.post(
                "/graphql", content=_encode_json(body), headers=_sign_in() | JSON
            )
            where = f"{name} {'.'.join(place)}"
            assert time.thread_time() - before < 2, where
            assert len(response.content) < MAX_ANSWER_LENGTH, where
            codes = {error["extensions"]["code"] for error in response.json().get("errors", ())}
            assert codes <= TYPED, (where, response.text)
            if hostile in {"nul", "a megabyte"}:
                assert codes == {"BAD_USER_INPUT"}, (where, response.text)


JSON = {"content-type": "application/json"}


def _encode_json(value: Any) -> bytes:
    """Encodes as JSON; a lone surrogate can only be written as an escape."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_mark(value)).replace(b"<half>", b"\\ud800")


def _mark(value: Any) -> Any:
    match value:
        case dict():
            return {name: _mark(each) for name, each in value.items()}
        case list():
            return [_mark(each) for each in value]
        case str():
            return value.replace("\ud800", "<half>")
    return value


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(("domain", "field"), [("ai", "generation"), ("orders", "order")])
async def test_hostile_texts_in_subscriptions_get_a_typed_answer_quickly(
    clients: Mapping[str, SubgraphClient], domain: str, field: str, hostile: str
) -> None:
    query = f"subscription ($id: ID!) {{ {field}(id: $id) {{ __typename }} }}"
    response = await clients[domain].http.post(
        "/graphql",
        content=_encode_json({"query": query, "variables": {"id": HOSTILE[hostile]}}),
        headers=_sign_in() | {"accept": "text/event-stream"} | JSON,
    )
    assert '"code":"BAD_' in response.text
    assert len(response.content) < MAX_ANSWER_LENGTH


def _sign_in() -> dict[str, str]:
    return {"authorization": f"Bearer {sign_token('usr_hostile', ['parent', 'staff'])}"}
