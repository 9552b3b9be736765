"""Changes of the public API by their severity for clients."""

from infra.schema.changes import Change, Severity, compare_schemas

BEFORE = """
type Query { book(id: ID!): Book  books(first: Int = 20): [Book!]! }
type Book { id: ID! title: String! blurb: String status: Status! }
enum Status { DRAFT READY }
union Made = Book
"""


def compare_after(old: str, new: str) -> list[Change]:
    assert old in BEFORE
    return list(compare_schemas(BEFORE, BEFORE.replace(old, new)))


def test_equal_schemas_have_no_changes():
    assert compare_schemas(BEFORE, BEFORE) == []


def test_a_removed_field_is_breaking():
    assert compare_after("blurb: String ", "") == [
        Change(Severity.BREAKING, "FIELD_REMOVED", "Field Book.blurb was removed.")
    ]


def test_a_field_that_may_now_be_null_is_breaking():
    assert compare_after("title: String!", "title: String") == [
        Change(
            Severity.BREAKING, "FIELD_CHANGED_KIND", "Field Book.title changed type from String! to String."
        )
    ]


def test_a_new_required_argument_is_breaking():
    assert compare_after("book(id: ID!)", "book(id: ID!, language: String!)") == [
        Change(
            Severity.BREAKING, "REQUIRED_ARG_ADDED", "A required argument Query.book(language:) was added."
        )
    ]


def test_a_new_enum_value_is_dangerous():
    assert compare_after("DRAFT READY", "DRAFT READY APPROVED") == [
        Change(Severity.DANGEROUS, "VALUE_ADDED_TO_ENUM", "Enum value Status.APPROVED was added.")
    ]


def test_a_changed_default_is_dangerous():
    assert compare_after("first: Int = 20", "first: Int = 10") == [
        Change(
            Severity.DANGEROUS,
            "ARG_DEFAULT_VALUE_CHANGE",
            "Query.books(first:) has changed defaultValue from 20 to 10.",
        )
    ]


def test_a_new_field_is_safe():
    assert compare_after("id: ID! title", "id: ID! subtitle: String title") == [
        Change(Severity.SAFE, "FIELD_ADDED", "Field Book.subtitle was added.")
    ]


def test_changes_are_sorted_by_severity():
    found = compare_after(
        "title: String! blurb: String status: Status! }\nenum Status { DRAFT READY }",
        "title: String! status: Status! pages: Int }\nenum Status { DRAFT READY APPROVED }",
    )
    assert [change.severity for change in found] == [Severity.BREAKING, Severity.DANGEROUS, Severity.SAFE]
