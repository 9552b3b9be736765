"""Subgraphs that are executed from the supergraph alone, so that a plan can be checked by its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from graphql import (
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    graphql_sync,
    is_object_type,
    is_specified_directive,
    parse,
    print_ast,
    print_directive,
    print_type,
    validate,
)

from router.executor import ExecutionRequest, ExecutionResult, compile_operation, execute
from router.operation import coerce_variables
from router.planner import Planner
from router.planner.plan import QueryPlan
from router.supergraph import Supergraph
from router.transport.base import RequestContext
from tests.support.planning import build_operation_on

CONTEXT = RequestContext(None, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
HEADER = """
schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query %s }
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(
  graph: join__Graph, requires: String, provides: String, type: String, external: Boolean
) repeatable on FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: String, isInterfaceObject: Boolean! = false) repeatable on
  OBJECT | INTERFACE | UNION | ENUM | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
enum join__Graph {
  A @join__graph(name: "a", url: "http://a")
  B @join__graph(name: "b", url: "http://b")
  C @join__graph(name: "c", url: "http://c")
}
"""
KNOWN = "@known"


class Federated:
    """A supergraph of subgraphs a, b and c; `world` holds the fields of root types and so everything.

    A value that is a function is called with the representation by which its object was entered.
    """

    def __init__(self, types: str, world: Mapping[str, Any]) -> None:
        mutation = "mutation: Mutation" if "type Mutation" in types else ""
        self.supergraph = Supergraph.parse(HEADER % mutation + types)
        self._world = world
        self._schemas = {
            info.name: _build_subgraph_schema(self.supergraph, graph)
            for graph, info in self.supergraph.by_id.items()
            if graph in self.supergraph.types["Query"].joins
        }
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.unavailable: set[str] = set()

    def plan(self, text: str) -> QueryPlan:
        """Plans a valid operation."""
        return Planner(self.supergraph).start(build_operation_on(self.supergraph, text)).plan

    async def run(self, text: str, **variables: Any) -> ExecutionResult:
        """Plans and runs a valid operation."""
        operation = build_operation_on(self.supergraph, text)
        coerced = coerce_variables(operation, variables)
        assert isinstance(coerced, dict)
        self.requests.clear()
        return await execute(
            compile_operation(Planner(self.supergraph), operation), ExecutionRequest(coerced, self, CONTEXT)
        )

    def list_representations(self, subgraph: str) -> list[dict[str, Any]]:
        """Lists the representations that the last run sent to a subgraph."""
        return [
            each
            for name, body in self.requests
            if name == subgraph
            for variable, value in body.get("variables", {}).items()
            if variable.startswith("representations")
            for each in value
        ]

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """Executes a document, which must be valid in the subgraph."""
        del context
        request = orjson.loads(body)
        self.requests.append((subgraph, request))
        if subgraph in self.unavailable:
            return {"errors": [{"message": f"{subgraph} is down"}]}
        schema = self._schemas[subgraph]
        assert validate(schema, parse(request["query"])) == [], request["query"]
        variables = request.get("variables")
        root = {"__typename": "Query"}
        result = graphql_sync(
            schema,
            request["query"],
            root,
            variable_values=variables,
            field_resolver=self._resolve,
            type_resolver=lambda value, _info, _type: value["__typename"],
        )
        return {**result.formatted}

    def _resolve(self, source: Mapping[str, Any], info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        name = info.field_name
        if name == "_entities":
            return [self._resolve_entity(each, info) for each in arguments["representations"]]
        value = source[name] if info.path.prev else self._world[name]
        return value(**(source.get(KNOWN, {}) | arguments)) if callable(value) else value

    def _resolve_entity(self, known: Mapping[str, Any], info: GraphQLResolveInfo[Any]) -> dict[str, Any]:
        type_ = info.schema.type_map[known["__typename"]]
        possible = self.supergraph.get_possible_types(type_.name)
        for each in _iterate_objects(self._world):
            if each["__typename"] in possible and each["id"] == known["id"]:
                given = {name: value for name, value in known.items() if name not in {"__typename", "id"}}
                named = type_.name if is_object_type(type_) else each["__typename"]
                return {**each, "__typename": named, KNOWN: given}
        raise LookupError(known)


def _iterate_objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if "__typename" in value:
            yield value
        for each in value.values():
            yield from _iterate_objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _iterate_objects(each)


def _build_subgraph_schema(supergraph: Supergraph, graph: str) -> GraphQLSchema:
    """Builds the schema of one subgraph, with its `_entities` field."""
    own = (each for each in supergraph.schema.directives if not is_specified_directive(each))
    text, members = ["scalar _Any", *map(print_directive, own)], []
    for name, joined in supergraph.types.items():
        if (join := joined.joins.get(graph)) is None:
            continue
        type_: Any = supergraph.schema.type_map[name]
        if not joined.fields:
            text.append(f"union {name} = {' | '.join(join.members)}" if join.members else print_type(type_))
            continue
        fields = []
        for field, joins in joined.fields.items():
            if graph in joins:
                given = ", ".join(f"{each}: {of.type}" for each, of in type_.fields[field].args.items())
                fields.append(f"{field}{f'({given})' if given else ''}: {print_ast(joins[graph].type)}")
        if name == "Query":
            fields.append("_entities(representations: [_Any!]!): [_Entity]!")
        concrete = is_object_type(type_) or join.is_interface_object
        if concrete and join.keys:
            members.append(name)
        interfaces = " & ".join(join.interfaces)
        text.append(
            f"{'type' if concrete else 'interface'} {name} {f'implements {interfaces}' if interfaces else ''}"
            f" {{ {' '.join(fields or ['_nothing: Int'])} }}"
        )
    return build_schema("\n".join([*text, f"union _Entity = {' | '.join(members) or 'Query'}"]))
