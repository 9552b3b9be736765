"""The estimated cost of operations."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate
from hypothesis import given
from hypothesis import strategies as st

from router.errors import CostUnknownError
from router.operation import build_operation
from router.policy.cost import CostRules, OperationCost

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
  found: Found
  shelves(first: Int): [Shelf] @listSize(slicingArguments: ["first"], sizedFields: ["books"])
  choice(first: Int = 2, last: Int): [Book] @listSize(slicingArguments: ["first", "last"])
  window(page: Window = {}): [Book] @listSize(slicingArguments: ["page.first", "page.last"])
  cheap(exact: Boolean @cost(weight: -3)): Int @cost(weight: 2)
  weighed(filters: [Filter] @cost(weight: 7), kind: Kind): Int
  matrix(filters: [[Filter]]): Int
}
type Mutation { rename: Book }
type Connection { edges: [Edge!]! total: Int }
type Edge { node: Book }
type Book { id: ID! title: String pages: [Page1!]! cover: Cover blurb: String @cost(weight: 4) }
type Page1 { text: Text }
type Cover @cost(weight: 8) { url: String }
scalar Text @cost(weight: 2)
interface Thing { id: ID! book(text: String): Book }
type Toy implements Thing { id: ID! book(text: String @cost(weight: 2)): Book @cost(weight: 6) }
type Pen implements Thing @cost(weight: 3) { id: ID! book(text: String): Book cover: Cover }
type Shelf { books: [Book] other: [Book] }
union Found = Toy | Cover
enum Kind @cost(weight: 9) { A B }
input Window { first: Int = 4 last: Int }
input Page { size: Int }
input Filter { by: Filter text: String @cost(weight: 5) }
"""

SCHEMA = build_schema(SDL)
RULES = CostRules(parse(SDL), 10)


def estimate_cost(text: str, **variables: Any) -> int:
    document = parse(text)
    assert validate(SCHEMA, document) == []
    [node] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return OperationCost(RULES, build_operation(SCHEMA, document, node)).estimate(variables)


FIELDS = (
    "book { blurb }",
    "cheap(exact: true)",
    "cheap",
    "thing { id book { id } }",
    "first(first: 3) { pages { text } }",
    "any(last: -2) { id }",
)


def add_aliases(fields: list[str]) -> list[str]:
    return [f"a{number}: {field}" for number, field in enumerate(fields)]


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
        ("{ any(first: 8, last: 3) { id } }", 8),
        ("{ choice { id } }", 2),
        ("{ choice(last: 9) { id } }", 9),
        ("{ choice(last: 1) { id } }", 2),
        ("{ paged(page: {size: 4}) { id } }", 1 + 4),
        ("{ window { id } }", 1 + 4),
        ("{ window(page: {last: 6}) { id } }", 1 + 6),
        ("{ window(page: {first: 0}) { id } }", 1 + 0),
        ("{ shelves(first: 3) { books { id } other { id } } }", 3 * (1 + 3 + 10)),
        ("{ cheap }", 2),
        ("{ cheap(exact: true) book { id } }", 0 + 1),
        ("{ weighed(kind: A) }", 9),
        ('{ weighed(filters: [{text: "a"}, {}]) }', 7 + 5),
        ('{ matrix(filters: [[{text: "a"}, {}], [{}]]) }', 3 + 5),
        ("{ found { __typename } }", 8),
        ("{ connection(first: 6) { total edges { node { id } } } }", 1 + 6 * 2),
        ('{ search(text: "a") }', 3),
        ('{ search(filter: {by: {text: "a"}}) }', 1 + 1 + 5),
        ("{ thing { id ... on Toy { book { id } } ...P } } fragment P on Pen { cover { url } }", 3 + 6 + 8),
        ('{ thing { book(text: "a") { id } } }', 3 + 6 + 2),
        ("{ book @skip(if: true) { id } }", 0),
        ("{ book @include(if: false) { id } books @include(if: true) { id } }", 10),
    ],
)
def test_an_operation_has_its_expected_cost(text: str, expected: int):
    assert estimate_cost(text) == expected


def test_the_cost_depends_on_the_variables():
    text = "query($n: Int, $no: Boolean!) { first(last: $n) { id } book @skip(if: $no) { id } }"
    assert (estimate_cost(text, n=4, no=True), estimate_cost(text, n=40, no=False)) == (4, 41)


@pytest.mark.parametrize("size", [5, 5.0])
def test_a_size_may_be_an_integral_float(size: float):
    assert estimate_cost("query($n: Int) { any(first: $n) { id } }", n=size) == 5
    assert estimate_cost("query($p: Page) { paged(page: $p) { id } }", p={"size": size}) == 1 + 5


def test_a_missing_variable_leaves_the_default():
    assert estimate_cost("query($n: Int) { any(first: $n) { id } }") == 2
    assert estimate_cost("query($n: Int) { window(page: {first: $n}) { id } }") == 1 + 4


def test_a_negative_weight_does_not_reduce_the_cost_of_other_fields():
    assert estimate_cost("{ a: cheap(exact: true) b: cheap(exact: true) book { blurb } }") == 5


@given(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=8))
def test_additional_fields_never_reduce_the_cost(fields: list[str]):
    costs = [
        estimate_cost(f"{{ {' '.join(add_aliases(fields[:count]))} }}") for count in range(1, len(fields) + 1)
    ]
    assert costs == sorted(costs)


@pytest.mark.parametrize(
    "text",
    [
        "{ window(page: {first: 1, last: 1}) { id } }",
        "{ window(page: {first: null}) { id } }",
        "{ window(page: null) { id } }",
        "{ choice(first: null) { id } }",
        "{ choice(first: 1, last: 1) { id } }",
    ],
)
def test_a_list_without_exactly_one_given_or_default_size_has_no_cost(text: str):
    with pytest.raises(CostUnknownError):
        estimate_cost(text)


@pytest.mark.parametrize(
    "text",
    [
        "{ first { id } }",
        "{ first(first: 1, last: 1) { id } }",
        "query($n: Int) { first(first: $n) { id } }",
    ],
)
def test_a_list_without_its_required_slicing_argument_has_no_cost(text: str):
    with pytest.raises(CostUnknownError) as refusal:
        estimate_cost(text)
    assert (
        refusal.value.message
        == "The field 'Query.first' requires exactly one of the arguments 'first', 'last'."
    )


def test_earlier_estimates_with_other_variables_do_not_change_the_cost():
    text = "query($n: Int, $id: ID, $p: Page) {first(first: $n) {id} paged(page: $p) {id} search(text: $id)}"
    document = parse(text)
    [node] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    known = OperationCost(CostRules(parse(SDL), 10), build_operation(SCHEMA, document, node))
    for variables, expected in (
        ({"n": 4, "p": {"size": 2}}, 4 + 1 + 2),
        ({"n": 5, "p": {"size": 2}}, 5 + 1 + 2),
        ({"n": 5, "p": {"size": 3}, "id": "x"}, 5 + 1 + 3 + 3),
        ({"n": 4, "p": {"size": 2}}, 4 + 1 + 2),
    ):
        assert known.estimate(variables) == expected


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("query ($n: Int) { first(first: $n) { id } }", True),
        ("{ first(first: 2) { id } }", False),
        ("{ paged(page: {size: 2}) { id } }", False),
    ],
)
def test_the_document_is_kept_only_if_the_cost_depends_on_a_variable(text: str, is_kept: bool):
    document = parse(text)
    [node] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    known = OperationCost(CostRules(parse(SDL), 10), build_operation(SCHEMA, document, node))
    assert known.keeps_document is is_kept
