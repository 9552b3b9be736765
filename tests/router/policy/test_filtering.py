"""Withholding unauthorized fields from an operation and its answer."""

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


def filter_operation(text: str, *paths: str) -> FilteredOperation:
    document = parse(text)
    node = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    return FilteredOperation(
        build_operation(SCHEMA, document, node), frozenset(tuple(path.split(".")) for path in paths)
    )


def collapse_whitespace(text: str) -> str:
    return " ".join(text.split())


def test_outermost_paths_drop_the_paths_below_others():
    assert find_outermost_paths([("a", "b"), ("a", "b", "c"), ("d",), ("a", "bc")]) == {
        ("a", "b"),
        ("d",),
        ("a", "bc"),
    }


def test_withheld_fields_become_typename_in_the_document():
    text = """
    query Q($no: Boolean!) { me { name tel: phone @skip(if: $no) ...F } }
    fragment F on User { friends { phone name } tel: phone }
    """
    found = filter_operation(text, "me.tel", "me.friends.phone")
    assert collapse_whitespace(print_ast(found.operation.node)) == (
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
def test_withheld_fields_are_null_in_the_answer_and_nulls_propagate(
    text: str, path: str, data: Any, expected: Any
):
    assert filter_operation(text, path).insert_nulls(data) == expected
