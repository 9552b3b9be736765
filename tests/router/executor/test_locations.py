"""Dropping the errors of fields that the client has not selected on their object."""

from typing import Any

from router.executor.locations import collect_locations, drop_unselected
from tests.support.planning import load_operation

TEXT = "{ accounts { credit ... on Parent { name: email } } }"
LOCATIONS = collect_locations(load_operation("accounts", TEXT))
DATA = {"accounts": [{"credit": None}, {"credit": 1, "name": None}, None]}


def is_kept(*path: str | int) -> bool:
    errors: list[dict[str, Any]] = [{"message": "No.", "path": [*path]}]
    return drop_unselected(errors, DATA, LOCATIONS) == errors


def test_an_error_of_a_field_that_is_selected_on_another_type_is_dropped():
    assert not is_kept("accounts", 0, "name")


def test_an_error_of_a_selected_field_is_kept_also_where_null_has_propagated_from_it():
    assert is_kept("accounts", 0, "credit")
    assert is_kept("accounts", 1, "name")
    assert is_kept("accounts", 2, "name")
    assert drop_unselected([{"path": ["accounts", 0, "name"]}], None, LOCATIONS)


def test_an_error_whose_path_is_nowhere_in_the_operation_is_kept():
    assert is_kept("accounts", 0, "unknown")
    assert is_kept("accounts", 7, "unknown")
    assert is_kept()
    assert drop_unselected([{"message": "No path."}], DATA, LOCATIONS) == [{"message": "No path."}]
