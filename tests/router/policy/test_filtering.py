"""What of an operation a caller may not have."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, print_ast

from router.operation import build_operation
from router.policy.filtering import FilteredOperation, find_outermost_paths

SCHEMA = build_schema("""
type Query { me: User hits: [Hit!]! shelf: Shelf! }
type User { name: String phone: String! friends: [User!] }
type Shelf { books: [Book!]! first: Book! }
type Book { title: String price: Int! }
union Hit = User | Book
""")


def withheld(text: str, *paths: str) -> FilteredOperation:
    document = parse(text)
    node = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    return FilteredOperation(
        build_operation(SCHEMA, document, node), frozenset(tuple(path.split(".")) for path in paths)
    )


def compact(text: str) -> str:
    return " ".join(text.split())


def test_paths_that_lead_through_others_are_within_them():
    assert find_outermost_paths([("a", "b"), ("a", "b", "c"), ("d",), ("a", "bc")]) == {
        ("a", "b"),
        ("d",),
        ("a", "bc"),
    }


def test_in_the_document_a_name_of_its_type_stands_for_what_is_withheld():
    text = """
    query Q($no: Boolean!) { me { name tel: phone @skip(if: $no) ...F } }
    fragment F on User { friends { phone name } tel: phone }
    """
    found = withheld(text, "me.tel", "me.friends.phone")
    assert compact(print_ast(found.operation.node)) == (
        "query Q($no: Boolean!) { me { name tel: __typename @skip(if: $no)"
        " ... on User { friends { phone: __typename name } tel: __typename } } }"
    )


@pytest.mark.parametrize(
    ("text", "path", "data", "expected"),
    [
        ("{ me { name } }", "me", {"me": "Query"}, {"me": None}),
        ("{ me { name } }", "me.name", {"me": {"name": "User"}}, {"me": {"name": None}}),
        ("{ me { name } }", "me.name", {"me": None}, {"me": None}),
        ("{ me { phone } }", "me.phone", {"me": {"phone": "User"}}, {"me": None}),
        (
            "{ me { friends { phone } } }",
            "me.friends.phone",
            {"me": {"friends": [{"phone": "User"}]}},
            {"me": {"friends": None}},
        ),
        (
            "{ me { friends { phone } } }",
            "me.friends.phone",
            {"me": {"friends": []}},
            {"me": {"friends": []}},
        ),
        ("{ shelf { first { price } } }", "shelf.first.price", {"shelf": {"first": {"price": "Book"}}}, None),
        (
            "{ hits { ... on Book { title price } ... on User { name } } }",
            "hits.title",
            {"hits": [{"title": "Book", "price": 1}, {"name": "Ada"}]},
            {"hits": [{"title": None, "price": 1}, {"name": "Ada"}]},
        ),
        ("{ me { name @skip(if: true) phone } }", "me.name", {"me": {"phone": "1"}}, {"me": {"phone": "1"}}),
        ("{ me { name } }", "me.name", None, None),
        ("{ me { __typename } }", "me.__typename", {"me": {"__typename": "User"}}, {"me": None}),
        ("{ hits { kind: __typename } }", "hits.kind", {"hits": [{"kind": "Hit"}]}, None),
    ],
)
def test_in_the_answer_it_is_null_and_so_is_what_may_not_hold_null(
    text: str, path: str, data: Any, expected: Any
):
    assert withheld(text, path).insert_nulls(data) == expected
