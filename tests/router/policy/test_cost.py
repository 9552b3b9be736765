"""What an operation costs at most."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from router.errors import CostUnknownError
from router.operation import operation_of
from router.policy.cost import Cost, CostRules

SDL = """
directive @cost(weight: Int!) on
  ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(
  assumedSize: Int, slicingArguments: [String!], sizedFields: [String!]
  requireOneSlicingArgument: Boolean = true
) on FIELD_DEFINITION
type Query {
  book: Book
  search(text: String @cost(weight: 3), filter: Filter): Int
  books: [Book!]!
  shelf: [Book!]! @listSize(assumedSize: 5)
  first(first: Int, last: Int): [Book] @listSize(slicingArguments: ["first", "last"])
  any(first: Int = 2, last: Int): [Book]
    @listSize(assumedSize: 7, slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
  paged(page: Page): [Book] @listSize(slicingArguments: ["page.size"])
  connection(first: Int): Connection @listSize(slicingArguments: ["first"], sizedFields: ["edges"])
  thing: Thing
}
type Mutation { rename: Book }
type Connection { edges: [Edge!]! total: Int }
type Edge { node: Book }
type Book { id: ID! title: String pages: [Page1!]! cover: Cover blurb: String @cost(weight: 4) }
type Page1 { text: Text }
type Cover @cost(weight: 8) { url: String }
scalar Text @cost(weight: 2)
interface Thing { id: ID! }
type Toy implements Thing { id: ID! book: Book }
type Pen implements Thing { id: ID! cover: Cover }
input Page { size: Int }
input Filter { by: Filter text: String @cost(weight: 5) }
"""


def cost(text: str, **variables: Any) -> int:
    schema, document = build_schema(SDL), parse(text)
    assert validate(schema, document) == []
    [node] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return Cost(CostRules(parse(SDL), 10), operation_of(schema, document, node)).estimate(variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __typename }", 0),
        ("{ book { id title } }", 1),
        ("mutation { rename { id } }", 11),
        ("{ book { blurb } }", 5),
        ("{ book { cover { url } } }", 9),
        ("{ books { id } }", 10),
        ("{ books { pages { text } } }", 10 * (1 + 10 * (1 + 2))),
        ("{ shelf { cover { url } } }", 5 * 9),
        ("{ first(first: 3) { id } }", 3),
        ("{ any { id } }", 2),
        ("{ any(first: null) { id } }", 7),
        ("{ any(last: 9) { id } }", 9),
        ("{ any(last: -9, first: -1) { id } }", 0),
        ("{ paged(page: {size: 4}) { id } }", 1 + 4),
        ("{ connection(first: 6) { total edges { node { id } } } }", 1 + 6 * 2),
        ('{ search(text: "a") }', 3),
        ('{ search(filter: {by: {text: "a"}}) }', 1 + 1 + 5),
        ("{ thing { id ... on Toy { book { id } } ...P } } fragment P on Pen { cover { url } }", 1 + 1 + 8),
        ("{ book @skip(if: true) { id } }", 0),
        ("{ book @include(if: false) { id } books @include(if: true) { id } }", 10),
    ],
)
def test_what_an_operation_costs(text: str, expected: int):
    assert cost(text) == expected


def test_the_cost_depends_on_the_variables():
    text = "query($n: Int, $no: Boolean!) { first(last: $n) { id } book @skip(if: $no) { id } }"
    assert (cost(text, n=4, no=True), cost(text, n=40, no=False)) == (4, 41)


@pytest.mark.parametrize(
    "text",
    [
        "{ first { id } }",
        "{ first(first: 1, last: 1) { id } }",
        "query($n: Int) { first(first: $n) { id } }",
    ],
)
def test_a_list_without_its_one_bound_has_no_cost(text: str):
    with pytest.raises(CostUnknownError) as refusal:
        cost(text)
    assert (
        refusal.value.message == "The field 'Query.first' needs exactly one of its arguments 'first', 'last'."
    )
