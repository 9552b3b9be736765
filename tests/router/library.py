"""The supergraph of the library, a small federated graph for tests."""

from pathlib import Path

SUPERGRAPH = Path(__file__).parent / "library.graphql"
