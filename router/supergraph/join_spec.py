"""The join specification: a supergraph's subgraphs, and how each of them defines its types and fields.

A composed supergraph annotates every definition with the subgraphs that it comes from:

    type Product @join__type(graph: SHOP, key: "id") @join__type(graph: STOCK, key: "id") {
      id: ID!
      price: Int @join__field(graph: SHOP)
    }

says that both subgraphs have the entity `Product` and its `id`, and that only `SHOP` resolves `price`.
Versions 0.1 to 0.5 of the specification are read; the older ones annotate less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    parse,
    parse_type,
    value_from_ast_untyped,
)

from router.supergraph.links import Vocabulary


@dataclass(frozen=True, slots=True)
class SubgraphInfo:
    """One subgraph: its own name, its value of the enum `join__Graph`, and its URL."""

    name: str
    graph_id: str
    url: str


@dataclass(frozen=True, slots=True)
class EntityKey:
    """The field set of a `@key`; only a resolvable one can be given to the subgraph's `_entities`."""

    fields: str
    is_resolvable: bool = True


@dataclass(frozen=True, slots=True)
class ContextArgument:
    """An argument with `@fromContext`: the router fills it with what it selects of an enclosing object."""

    name: str
    type: str
    context: str
    selection: str


@dataclass(frozen=True, slots=True)
class FieldJoin:
    """How one subgraph defines a field; `requires` and `provides` are field sets.

    With a progressive override the subgraph resolves the field only while the label `label_active` is
    active, or only while `label_inactive` is not.
    """

    type: TypeNode
    requires: str | None = None
    provides: str | None = None
    is_external: bool = False
    label_active: str | None = None
    label_inactive: str | None = None
    context_arguments: tuple[ContextArgument, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeJoin:
    """How one subgraph defines a type; `members` are those of a union."""

    keys: tuple[EntityKey, ...] = ()
    is_interface_object: bool = False
    interfaces: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class JoinedType:
    """A type as each subgraph defines it: `joins[graph_id]`, and `fields[name][graph_id]` for its fields.

    `contexts` are those that its objects set (`@context`) for the fields below them.
    """

    name: str
    joins: Mapping[str, TypeJoin]
    fields: Mapping[str, Mapping[str, FieldJoin]] = field(default_factory=dict)
    contexts: frozenset[str] = frozenset()


def read_subgraphs(document: DocumentNode) -> Iterator[SubgraphInfo]:
    """The subgraphs that the enum `join__Graph` lists."""
    for definition in document.definitions:
        if isinstance(definition, EnumTypeDefinitionNode) and definition.name.value == "join__Graph":
            for value in definition.values or ():
                for arguments in _read_applications(value.directives, "join__graph"):
                    yield SubgraphInfo(arguments["name"], value.name.value, arguments.get("url", ""))


def read_types(
    document: DocumentNode, vocabulary: Vocabulary, graphs: tuple[str, ...]
) -> Iterator[JoinedType]:
    """All types but those that belong to specifications; `graphs` are the ids of all subgraphs."""
    for definition in document.definitions:
        if not isinstance(definition, TypeDefinitionNode) or vocabulary.is_internal(definition.name.value):
            continue
        joins = _read_type_joins(definition, graphs)
        contexts = frozenset(
            str(each.get("name")) for each in vocabulary.iterate_applications(definition, "context")
        )
        if isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            identifying, required = (
                _find_identifying_fields(definition),
                _find_required_fields(definition, joins),
            )
            fields = {
                node.name.value: _read_field_joins(
                    node, joins, identifying[node.name.value], required[node.name.value]
                )
                for node in definition.fields or ()
            }
            yield JoinedType(definition.name.value, joins, fields, contexts)
        else:
            yield JoinedType(definition.name.value, joins, contexts=contexts)


def _read_type_joins(definition: TypeDefinitionNode, graphs: tuple[str, ...]) -> dict[str, TypeJoin]:
    applied = _read_applications(definition.directives, "join__type")
    by_graph: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for arguments in applied:
        by_graph[arguments["graph"]].append(arguments)
    if not applied:
        # join v0.1 annotates only entities: any other type is the same in all subgraphs.
        by_graph = {graph: [{}] for graph in graphs}
    interfaces = _group_by_graph(definition, "join__implements", "interface")
    members = _group_by_graph(definition, "join__unionMember", "member")
    return {
        graph: TypeJoin(
            keys=tuple(
                EntityKey(each["key"], each.get("resolvable", True)) for each in arguments if each.get("key")
            ),
            is_interface_object=any(each.get("isInterfaceObject") for each in arguments),
            interfaces=frozenset(_find_names(definition, "interfaces", interfaces, graph)),
            members=frozenset(_find_names(definition, "types", members, graph)),
        )
        for graph, arguments in by_graph.items()
    }


def _group_by_graph(definition: TypeDefinitionNode, directive: str, argument: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for arguments in _read_applications(definition.directives, directive):
        found[arguments["graph"]].add(arguments[argument])
    return found


def _find_names(
    definition: TypeDefinitionNode, attribute: str, annotated: dict[str, set[str]], graph: str
) -> Iterable[str]:
    # join v0.1 and v0.2 annotate nothing here: what the supergraph defines holds in every subgraph.
    if annotated:
        return annotated.get(graph, ())
    if attribute == "types" and not isinstance(definition, UnionTypeDefinitionNode):
        return ()
    return [node.name.value for node in getattr(definition, attribute, None) or ()]


def _find_identifying_fields(definition: TypeDefinitionNode) -> defaultdict[str, set[str]]:
    """By field: the subgraphs that know it because it is in the key of their Federation 1 `extend type`."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for arguments in _read_applications(definition.directives, "join__type"):
        if "key" in arguments and (arguments.get("extension") or _is_join_v0_1(definition)):
            for name in read_top_level_names(arguments["key"]):
                found[name].add(arguments["graph"])
    return found


def _find_required_fields(
    definition: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode, joins: Mapping[str, TypeJoin]
) -> defaultdict[str, set[str]]:
    """By field: the subgraphs where it is external because another field there requires it.

    Composers may leave out `external` where all subgraphs define a field. A field of a key is not external,
    and neither is one that no other subgraph could resolve.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for node in definition.fields or ():
        for arguments in _read_applications(node.directives, "join__field"):
            if not arguments.get("requires") or _is_only_source(joins, arguments["graph"]):
                continue
            for name in read_top_level_names(arguments["requires"]):
                found[name].add(arguments["graph"])
    for arguments in _read_applications(definition.directives, "join__type"):
        for name in read_top_level_names(arguments["key"]) if arguments.get("key") else ():
            found[name].discard(arguments["graph"])
    return found


def _is_only_source(joins: Mapping[str, TypeJoin], graph: str) -> bool:
    """Whether no other subgraph can be entered with such an object.

    An interface object always has others: its subgraph does not know the implementing types.
    """
    others = (key for other, join in joins.items() if other != graph for key in join.keys)
    return not (joins[graph].is_interface_object or any(key.is_resolvable for key in others))


def _is_join_v0_1(definition: TypeDefinitionNode) -> bool:
    """Whether the type has an owner, which later versions do not know."""
    return bool(_read_applications(definition.directives, "join__owner"))


def _read_field_joins(
    node: FieldDefinitionNode, joins: Mapping[str, TypeJoin], identifying: set[str], required: set[str]
) -> dict[str, FieldJoin]:
    applied = _read_applications(node.directives, "join__field")
    if not applied:
        return {graph: FieldJoin(node.type, is_external=graph in required) for graph in joins}
    found: dict[str, FieldJoin] = {}
    for arguments in applied:
        graph = arguments.get("graph")
        if graph is None or graph not in joins:
            continue
        found[graph] = _read_field_join(node, arguments, known=graph in identifying)
    for graph in identifying - found.keys():
        found[graph] = FieldJoin(node.type)
    return found


def _read_field_join(node: FieldDefinitionNode, arguments: Mapping[str, Any], *, known: bool) -> FieldJoin:
    label = arguments.get("overrideLabel")
    is_hidden = bool(arguments.get("external") or (arguments.get("usedOverridden") and not label))
    return FieldJoin(
        type=parse_type(arguments["type"], no_location=True) if arguments.get("type") else node.type,
        requires=arguments.get("requires") or None,
        provides=arguments.get("provides") or None,
        is_external=is_hidden and not known,
        label_active=label if arguments.get("override") else None,
        label_inactive=None if arguments.get("override") else label,
        context_arguments=tuple(
            ContextArgument(each["name"], each["type"], each["context"], each["selection"])
            for each in arguments.get("contextArguments") or ()
        ),
    )


def read_top_level_names(field_set: str) -> list[str]:
    """The names of the fields on a field set's first level."""
    definition: Any = parse(f"{{{field_set}}}", no_location=True).definitions[0]
    return [node.name.value for node in definition.selection_set.selections if hasattr(node, "name")]


def _read_applications(directives: Iterable[DirectiveNode] | None, name: str) -> list[dict[str, Any]]:
    return [
        {
            argument.name.value: value_from_ast_untyped(argument.value)
            for argument in directive.arguments or ()
        }
        for directive in directives or ()
        if directive.name.value == name
    ]
