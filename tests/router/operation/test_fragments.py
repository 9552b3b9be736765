"""Iterating the fields of a selection set through its fragments, each with the type it is selected on."""

from graphql import OperationDefinitionNode, build_schema, parse

from router.operation.fragments import collect_fragments, iterate_typed_fields

SCHEMA = build_schema("""
interface Node { id: ID! }
type Book implements Node { id: ID! title: String }
type Child implements Node { id: ID! name: String }
type Query { node: Node }
""")


def list_fields(text: str, *, skipped: str = "") -> list[str]:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    found = iterate_typed_fields(
        SCHEMA,
        collect_fragments(document),
        operation.selection_set,
        SCHEMA.type_map["Node"],
        lambda node: not any(each.name.value == skipped for each in node.directives or ()),
    )
    return [f"{type_.name}.{node.name.value}" for node, type_ in found]


def test_fields_come_in_document_order_with_the_type_of_their_fragment():
    fragments = "fragment B on Book { title ...N } fragment N on Node { id }"
    query = f"{{ id ...B ... on Child {{ name }} ... {{ id }} }} {fragments}"
    assert list_fields(query) == ["Node.id", "Book.title", "Node.id", "Child.name", "Node.id"]


def test_excluded_selections_are_left_out_with_their_contents():
    query = "{ id @no ...B @no ... on Child @no { name } ... on Book { title } } fragment B on Book { title }"
    assert list_fields(query, skipped="no") == ["Book.title"]
