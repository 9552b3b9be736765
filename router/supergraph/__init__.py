"""The supergraph: which subgraphs there are, what each of them can answer, and the schema clients see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    Source,
    Token,
    TypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    is_abstract_type,
    is_introspection_type,
    is_specified_scalar_type,
    parse,
    parse_type,
    value_from_ast_untyped,
)
from graphql.language.parser import Parser

from router.supergraph.links import Vocabulary
from router.supergraph.public_schema import stripped

ROOT_FIELDS = ("query", "mutation", "subscription")


class InvalidSupergraphError(ValueError):
    """The text is not a federation supergraph."""


@dataclass(frozen=True, slots=True)
class SubgraphInfo:
    """One subgraph, as the supergraph names it."""

    name: str
    graph_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Key:
    """Fields by which a subgraph identifies an entity; resolvable if it can be asked for one by them."""

    fields: str
    resolvable: bool = True


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """An argument of a subgraph's field that the router fills from an enclosing object."""

    name: str
    type: str
    context: str
    selection: str


@dataclass(frozen=True, slots=True)
class FieldJoin:
    """How one subgraph defines a field.

    `label_active` and `label_inactive` name the progressive override under which alone the field is here.
    """

    type: TypeNode
    requires: str | None = None
    provides: str | None = None
    external: bool = False
    label_active: str | None = None
    label_inactive: str | None = None
    context_arguments: tuple[ContextArgument, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeJoin:
    """How one subgraph defines a type."""

    keys: tuple[Key, ...] = ()
    interface_object: bool = False
    interfaces: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class JoinedType:
    """A type of the supergraph by subgraph: `fields[name][graph_id]` is that subgraph's definition.

    `contexts` are those that its objects set for what is below them.
    """

    name: str
    joins: Mapping[str, TypeJoin]
    fields: Mapping[str, Mapping[str, FieldJoin]] = field(default_factory=dict)
    contexts: frozenset[str] = frozenset()


class Supergraph:
    """An immutable supergraph."""

    def __init__(self, document: DocumentNode) -> None:
        self.document = document
        vocabulary = Vocabulary(document)
        if addresses := [link.address for link in vocabulary.links if not link.is_understood]:
            raise InvalidSupergraphError(
                f"The supergraph uses what this router does not know: {', '.join(addresses)}."
            )
        self.subgraphs: Mapping[str, SubgraphInfo] = {info.name: info for info in _subgraphs(document)}
        if not self.subgraphs:
            raise InvalidSupergraphError("The document names no subgraph (enum join__Graph).")
        self.by_id: Mapping[str, SubgraphInfo] = {info.graph_id: info for info in self.subgraphs.values()}
        self.schema: GraphQLSchema = build_ast_schema(stripped(document, public=False), assume_valid=True)
        self.types: Mapping[str, JoinedType] = {
            joined.name: joined for joined in _joined_types(document, vocabulary, tuple(self.by_id))
        }

    @classmethod
    def parse(cls, sdl: str) -> Supergraph:
        """Reads a composed supergraph.

        Raises:
            InvalidSupergraphError: the text is not one.
        """
        try:
            return cls(_parsed(sdl))
        except (GraphQLError, TypeError) as error:
            raise InvalidSupergraphError(f"The supergraph cannot be read: {error}") from error

    @cached_property
    def public_schema(self) -> GraphQLSchema:
        """The schema that clients see: no federation internals, nothing inaccessible."""
        return build_ast_schema(stripped(self.document, public=True), assume_valid=True)

    def dismantle(self) -> None:
        """Parts the types from each other, type after type, so that each is freed at once.

        Nothing can be asked of the supergraph any more.
        """
        for schema in (self.schema, self.public_schema):
            for type_ in schema.type_map.values():
                if not (is_specified_scalar_type(type_) or is_introspection_type(type_)):
                    vars(type_).clear()

    def possible_types(self, name: str) -> frozenset[str]:
        """The object types that a value of the named type can have."""
        type_ = self.schema.type_map[name]
        if isinstance(type_, GraphQLObjectType):
            return frozenset({name})
        if not is_abstract_type(type_):
            return frozenset()
        return frozenset(possible.name for possible in self.schema.get_possible_types(type_))

    def is_abstract(self, name: str) -> bool:
        """Whether the named type is an interface or a union."""
        return is_abstract_type(self.schema.type_map[name])

    def named_type(self, name: str) -> GraphQLNamedType:
        """A type of the whole schema, inaccessible ones included."""
        return self.schema.type_map[name]

    def interfaces_of(self, name: str) -> frozenset[str]:
        """The interfaces that the named type implements."""
        type_ = self.schema.type_map[name]
        if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            return frozenset()
        return frozenset(interface.name for interface in type_.interfaces)

    def root_type(self, operation_type: str) -> str | None:
        """The name of the query, mutation or subscription type."""
        root = getattr(self.schema, f"{operation_type}_type")
        return root.name if root else None


def _parsed(sdl: str) -> DocumentNode:
    """The document of a text; its tokens, a chain that only a search for cycles could free, are parted."""
    parser = Parser(Source(sdl), no_location=True)
    document = parser.parse_document()
    token: Token | None = parser._lexer.token  # noqa: SLF001 - documents without locations lead nowhere else
    while token is not None:
        before = token.prev
        token.prev = token.next = None
        token = before
    return document


def _subgraphs(document: DocumentNode) -> Iterator[SubgraphInfo]:
    for definition in document.definitions:
        if isinstance(definition, EnumTypeDefinitionNode) and definition.name.value == "join__Graph":
            for value in definition.values or ():
                for arguments in _applications(value.directives, "join__graph"):
                    yield SubgraphInfo(arguments["name"], value.name.value, arguments.get("url", ""))


def _joined_types(
    document: DocumentNode, vocabulary: Vocabulary, graphs: tuple[str, ...]
) -> Iterator[JoinedType]:
    for definition in document.definitions:
        if not isinstance(definition, TypeDefinitionNode) or vocabulary.is_internal(definition.name.value):
            continue
        joins = _type_joins(definition, graphs)
        contexts = frozenset(str(each.get("name")) for each in vocabulary.applied(definition, "context"))
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            reachable, required = _identifying_fields(definition), _required_fields(definition, joins)
            fields = {
                node.name.value: _field_joins(
                    node, joins, reachable[node.name.value], required[node.name.value]
                )
                for node in definition.fields or ()
            }
            yield JoinedType(definition.name.value, joins, fields, contexts)
        else:
            yield JoinedType(definition.name.value, joins, contexts=contexts)


def _type_joins(definition: TypeDefinitionNode, graphs: tuple[str, ...]) -> dict[str, TypeJoin]:
    applied = _applications(definition.directives, "join__type")
    by_graph: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for arguments in applied:
        by_graph[arguments["graph"]].append(arguments)
    if not applied:
        # join v0.1 annotates entities only: a plain type is the same everywhere.
        by_graph = {graph: [{}] for graph in graphs}
    interfaces = _grouped(definition, "join__implements", "interface")
    members = _grouped(definition, "join__unionMember", "member")
    return {
        graph: TypeJoin(
            keys=tuple(
                Key(each["key"], each.get("resolvable", True)) for each in arguments if each.get("key")
            ),
            interface_object=any(each.get("isInterfaceObject") for each in arguments),
            interfaces=frozenset(_in_graph(definition, "interfaces", interfaces, graph)),
            members=frozenset(_in_graph(definition, "types", members, graph)),
        )
        for graph, arguments in by_graph.items()
    }


def _grouped(definition: TypeDefinitionNode, directive: str, argument: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for arguments in _applications(definition.directives, directive):
        found[arguments["graph"]].add(arguments[argument])
    return found


def _in_graph(
    definition: TypeDefinitionNode, attribute: str, annotated: dict[str, set[str]], graph: str
) -> Iterable[str]:
    # Where nothing is annotated (join v0.1 and v0.2), what the supergraph says holds in every subgraph.
    if annotated:
        return annotated.get(graph, ())
    if attribute == "types" and not isinstance(definition, UnionTypeDefinitionNode):
        return ()
    return [node.name.value for node in getattr(definition, attribute, None) or ()]


def _identifying_fields(definition: TypeDefinitionNode) -> defaultdict[str, set[str]]:
    """Subgraphs that know a field because their Federation 1 `extend type` is identified by it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for arguments in _applications(definition.directives, "join__type"):
        if "key" in arguments and (arguments.get("extension") or _is_first_join(definition)):
            for name in top_level_names(arguments["key"]):
                found[name].add(arguments["graph"])
    return found


def _required_fields(
    definition: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode, joins: Mapping[str, TypeJoin]
) -> defaultdict[str, set[str]]:
    """Subgraphs that require a field of the type and do not identify it by that: there it is external.

    A composer may leave that out where all subgraphs define the field. Where no other subgraph can be asked
    for such an object, what is required can only come from the same one.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for node in definition.fields or ():
        for arguments in _applications(node.directives, "join__field"):
            if not arguments.get("requires") or _is_only_source(joins, arguments["graph"]):
                continue
            for name in top_level_names(arguments["requires"]):
                found[name].add(arguments["graph"])
    for arguments in _applications(definition.directives, "join__type"):
        for name in top_level_names(arguments["key"]) if arguments.get("key") else ():
            found[name].discard(arguments["graph"])
    return found


def _is_only_source(joins: Mapping[str, TypeJoin], graph: str) -> bool:
    """Whether no other subgraph has a key of the type, or of the types behind an interface object."""
    others = (key for other, join in joins.items() if other != graph for key in join.keys)
    return not (joins[graph].interface_object or any(key.resolvable for key in others))


def _is_first_join(definition: TypeDefinitionNode) -> bool:
    return bool(_applications(definition.directives, "join__owner"))


def _field_joins(
    node: FieldDefinitionNode, joins: Mapping[str, TypeJoin], identifying: set[str], required: set[str]
) -> dict[str, FieldJoin]:
    applied = _applications(node.directives, "join__field")
    if not applied:
        return {graph: FieldJoin(node.type, external=graph in required) for graph in joins}
    found: dict[str, FieldJoin] = {}
    for arguments in applied:
        graph = arguments.get("graph")
        if graph is None or graph not in joins:
            continue
        found[graph] = _field_join(node, arguments, known=graph in identifying)
    for graph in identifying - found.keys():
        found[graph] = FieldJoin(node.type)
    return found


def _field_join(node: FieldDefinitionNode, arguments: Mapping[str, Any], *, known: bool) -> FieldJoin:
    label = arguments.get("overrideLabel")
    hidden = bool(arguments.get("external") or (arguments.get("usedOverridden") and not label))
    return FieldJoin(
        type=parse_type(arguments["type"], no_location=True) if arguments.get("type") else node.type,
        requires=arguments.get("requires") or None,
        provides=arguments.get("provides") or None,
        external=hidden and not known,
        label_active=label if arguments.get("override") else None,
        label_inactive=None if arguments.get("override") else label,
        context_arguments=tuple(
            ContextArgument(each["name"], each["type"], each["context"], each["selection"])
            for each in arguments.get("contextArguments") or ()
        ),
    )


def top_level_names(field_set: str) -> list[str]:
    """The first level of a field set's names."""
    definition: Any = parse(f"{{{field_set}}}", no_location=True).definitions[0]
    return [node.name.value for node in definition.selection_set.selections if hasattr(node, "name")]


def _applications(directives: Iterable[DirectiveNode] | None, name: str) -> list[dict[str, Any]]:
    return [
        {
            argument.name.value: value_from_ast_untyped(argument.value)
            for argument in directive.arguments or ()
        }
        for directive in directives or ()
        if directive.name.value == name
    ]
