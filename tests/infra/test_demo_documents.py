"""The operations of the demo and the bench are valid against the current schema."""

from typing import Any

import pytest
from graphql import parse, validate

from infra.bench import measurements
from infra.bench.streams.measurements import CANCEL_GENERATION
from infra.demo import documents
from infra.schema.files import SUPERGRAPH
from router.supergraph import Supergraph

OPERATIONS = {
    name: value
    for name, value in {
        **vars(documents),
        "LIST_BOOKS": measurements.LIST_BOOKS,
        "CANCEL_GENERATION": CANCEL_GENERATION,
    }.items()
    if name.isupper() and isinstance(value, str)
}


@pytest.fixture(scope="module")
def schema() -> Any:
    return Supergraph.parse(SUPERGRAPH.read_text()).public_schema


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_operation_is_valid(schema, name):
    assert validate(schema, parse(OPERATIONS[name])) == []
