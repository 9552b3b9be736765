"""The explorer's example operations are valid on the supergraph."""

from pathlib import Path

import orjson
import pytest
from graphql import parse, validate

from router.config.settings import Limits
from router.policy.limits import find_limit_errors
from router.supergraph import Supergraph

SCHEMA = Path(__file__).parents[2] / "schema"
EXAMPLES = sorted((SCHEMA / "examples").glob("*.graphql"))


@pytest.fixture(scope="module")
def supergraph() -> Supergraph:
    return Supergraph.parse((SCHEMA / "supergraph.graphql").read_text())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_valid(supergraph: Supergraph, example: Path):
    document = parse(example.read_text())
    assert find_limit_errors(document, Limits.model_validate({})) == []
    assert validate(supergraph.public_schema, document) == []


@pytest.mark.parametrize("file", sorted((SCHEMA / "examples").glob("*.json")), ids=lambda file: file.name)
def test_the_variables_and_headers_of_an_example_are_objects(file: Path):
    assert isinstance(orjson.loads(file.read_bytes()), dict)
