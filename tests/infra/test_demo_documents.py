"""The demonstration's operations fit the graph as it is."""

from typing import Any

import pytest
from graphql import build_schema, parse, validate

from infra.bench import measures
from infra.demo import documents
from infra.schema.composition import public_schema
from infra.schema.files import SUPERGRAPH

OPERATIONS = {
    name: value
    for name, value in {**vars(documents), "SHELF": measures.SHELF}.items()
    if name.isupper() and isinstance(value, str)
}


@pytest.fixture(scope="module")
def schema() -> Any:
    return build_schema(public_schema(SUPERGRAPH.read_text()))


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_operation_is_valid(schema, name):
    assert validate(schema, parse(OPERATIONS[name])) == []
