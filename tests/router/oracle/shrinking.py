"""Shrinking: the smallest graph and operation that still reproduce a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    Node,
    ObjectTypeDefinitionNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeDefinitionNode,
    VariableDefinitionNode,
    VariableNode,
    assert_valid_schema,
    parse,
    print_ast,
    validate,
)

from infra.schema.composition import CompositionError
from tests.router.oracle.fuzzing import Finding, Graph, compose_graphs
from tests.router.oracle.merged_schema import InconsistentError

CHUNK = 12


def shrink(graph: Graph, finding: Finding) -> tuple[Graph, Finding]:
    """Shrinks a graph and an operation while they reproduce a finding with the same signature."""
    finding = _shrink_operation(graph, finding)
    while True:
        graph, smaller = _shrink_graph(graph, finding)
        shrunk = _shrink_operation(graph, smaller)
        if shrunk.request.text == finding.request.text and smaller.request.text == finding.request.text:
            return graph, shrunk
        finding = shrunk


def reproduce(graph: Graph, finding: Finding, text: str) -> Finding | None:
    """Returns the finding if a document reproduces it."""
    try:
        document = parse(text)
        if validate(graph.api, document):
            return None
        used = {
            each.variable.name.value
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
            for each in node.variable_definitions or ()
        }
        variables = {key: value for key, value in _read_variables(finding).items() if key in used}
        request = replace(finding.request, text=text, variables=(variables,))
        for found in graph.compare(request, finding.labels):
            if found and found.signature == finding.signature:
                return replace(found, request=request)
    except (InconsistentError, AssertionError, ValueError):
        return None
    return None


def _read_variables(finding: Finding) -> Mapping[str, Any]:
    return finding.request.variables[0] if finding.request.variables else {}


def _shrink_operation(graph: Graph, finding: Finding) -> Finding:
    position = 0
    while True:
        candidates = [*_iterate_smaller_documents(parse(finding.request.text))]
        for index in range(len(candidates)):
            at = (position + index) % len(candidates)
            text = print_ast(_drop_unused(candidates[at]))
            if len(text) < len(finding.request.text) and (found := reproduce(graph, finding, text)):
                finding, position = found, at
                break
        else:
            return finding


def _iterate_smaller_documents(document: DocumentNode) -> Iterator[DocumentNode]:
    for node in _iterate_nodes(document):
        match node:
            case SelectionSetNode():
                yield from _iterate_smaller_selections(document, node)
            case FieldNode(arguments=arguments):
                yield from (_replace_node(document, each, ()) for each in arguments or ())
            case DirectiveNode():
                yield _replace_node(document, node, ())
            case VariableDefinitionNode(default_value=default) if default is not None:
                yield _replace_node(document, default, ())


def _iterate_smaller_selections(document: DocumentNode, node: SelectionSetNode) -> Iterator[DocumentNode]:
    for each in node.selections if len(node.selections) > 1 else ():
        yield _replace_node(document, each, ())
    for each in node.selections:
        match each:
            case InlineFragmentNode():
                yield _replace_node(document, each, each.selection_set.selections)
            case FragmentSpreadNode():
                yield _replace_node(document, each, (_inline_spread(document, each),))
            case FieldNode(alias=alias) if alias is not None:
                yield _replace_node(document, alias, ())


def _inline_spread(document: DocumentNode, spread: FragmentSpreadNode) -> InlineFragmentNode:
    [fragment] = [
        each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode) and each.name.value == spread.name.value
    ]
    return InlineFragmentNode(
        type_condition=fragment.type_condition,
        directives=spread.directives,
        selection_set=fragment.selection_set,
    )


def _drop_unused(document: DocumentNode) -> DocumentNode:
    """Removes fragments and variables that are not used."""
    while True:
        spread = {
            each.name.value for each in _iterate_nodes(document) if isinstance(each, FragmentSpreadNode)
        }
        unused = [
            each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode) and each.name.value not in spread
        ]
        if not unused:
            break
        document = _replace_node(document, unused[0], ())
    definitions = [each for each in _iterate_nodes(document) if isinstance(each, VariableDefinitionNode)]
    for definition in definitions:
        uses = [
            each
            for each in _iterate_nodes(document)
            if isinstance(each, VariableNode) and each.name.value == definition.variable.name.value
        ]
        if len(uses) == 1:
            document = _replace_node(document, definition, ())
    return document


def _shrink_graph(graph: Graph, finding: Finding) -> tuple[Graph, Finding]:
    position = 0
    while True:
        candidates = [*_iterate_smaller_schemas(graph.schemas)]
        order = [*candidates[position:], *candidates[:position]]
        for start in range(0, len(order), CHUNK):
            found = _find_reproducing(order[start : start + CHUNK], finding)
            if found:
                index, graph, finding = found
                position = (position + start + index) % max(1, len(candidates))
                break
        else:
            return graph, finding


def _find_reproducing(
    candidates: list[dict[str, str]], finding: Finding
) -> tuple[int, Graph, Finding] | None:
    for index, (schemas, found) in enumerate(zip(candidates, compose_graphs(candidates), strict=True)):
        if isinstance(found, CompositionError):
            continue
        try:
            graph = Graph(schemas, found)
            assert_valid_schema(graph.api)
            graph.world.check()
        except (InconsistentError, TypeError, ValueError, KeyError, AttributeError, RecursionError):
            continue
        if reproduced := reproduce(graph, finding, finding.request.text):
            return index, graph, reproduced
    return None


def _iterate_smaller_schemas(schemas: Mapping[str, str]) -> Iterator[dict[str, str]]:
    if len(schemas) > 1:
        for name in schemas:
            yield {key: value for key, value in schemas.items() if key != name}
    for name, sdl in schemas.items():
        document = parse(sdl, no_location=True)
        for smaller in _iterate_smaller_definitions(document):
            yield {**schemas, name: print_ast(_drop_unused_types(smaller))}


def _iterate_smaller_definitions(document: DocumentNode) -> Iterator[DocumentNode]:
    for definition in document.definitions:
        if isinstance(definition, TypeDefinitionNode):
            yield _replace_node(document, definition, ())
            yield from (_replace_node(document, each, ()) for each in _iterate_removable(definition))


def _iterate_removable(definition: TypeDefinitionNode) -> Iterator[Node]:
    """Iterates the parts of a definition that can be removed."""
    fields = getattr(definition, "fields", None) or ()
    yield from fields if len(fields) > 1 else ()
    yield from getattr(definition, "types", None) or ()
    for node in _iterate_nodes(definition):
        if isinstance(node, DirectiveNode):
            yield node
        elif isinstance(node, FieldDefinitionNode):
            yield from node.arguments or ()
    yield from getattr(definition, "interfaces", None) or ()


def _drop_unused_types(document: DocumentNode) -> DocumentNode:
    """Removes enums, inputs and unions that are not used."""
    while True:
        named = {
            each.name.value
            for definition in document.definitions
            for each in _iterate_nodes(definition)
            if isinstance(each, NamedTypeNode)
        }
        unused = [
            each
            for each in document.definitions
            if isinstance(each, TypeDefinitionNode)
            and each.name.value not in named
            and not isinstance(each, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode)
        ]
        if not unused:
            return document
        document = _replace_node(document, unused[0], ())


def _iterate_nodes(node: Node) -> Iterator[Node]:
    """A node and all below it, from the top."""
    level: list[Node] = [node]
    while level:
        yield from level
        level = [child for each in level for child in _iterate_children(each)]


def _iterate_children(node: Node) -> Iterator[Node]:
    for key in node.keys:
        value = getattr(node, key, None)
        if isinstance(value, tuple | list):
            yield from (each for each in value if isinstance(each, Node))
        elif isinstance(value, Node):
            yield value


def _replace_node(node: Any, target: Node, replacement: tuple[Node, ...]) -> Any:
    """A copy of a node with one node below it replaced by others."""
    changed: dict[str, Any] = {}
    for key in node.keys:
        value = getattr(node, key, None)
        if isinstance(value, tuple | list):
            fresh: list[Any] = []
            for each in value:
                fresh += replacement if each is target else [_replace_node(each, target, replacement)]
            if len(fresh) != len(value) or any(
                one is not other for one, other in zip(fresh, value, strict=True)
            ):
                changed[key] = tuple(fresh)
        elif value is target:
            changed[key] = replacement[0] if replacement else None
        elif isinstance(value, Node):
            fresh_node = _replace_node(value, target, replacement)
            if fresh_node is not value:
                changed[key] = fresh_node
    if not changed:
        return node
    return type(node)(**{key: getattr(node, key, None) for key in node.keys} | changed)


def format_report(graph: Graph, finding: Finding) -> str:
    """Formats a finding with all that is needed to reproduce it."""
    lines = []
    for name, sdl in graph.schemas.items():
        document = parse(sdl, no_location=True)
        definitions = [
            print_ast(each) for each in document.definitions if isinstance(each, TypeDefinitionNode)
        ]
        lines.append(f"# {name}\n" + "\n".join(definitions))
    lines.append(
        f"{finding.request.text}\nvariables: {[*finding.request.variables]} labels: {sorted(finding.labels)}"
    )
    lines.append(f"{finding.kind}: {finding.detail}")
    return "\n\n".join(lines)
