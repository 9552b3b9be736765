"""Progressive overrides by the router's settings, at a running router."""

from pathlib import Path

import pytest

from router.config.traffic import Traffic
from tests.router.library import SUPERGRAPH
from tests.router.running import opened

HERE = "average: Float @join__field(graph: REVIEWS)"
MOVING = """average: Float
    @join__field(graph: REVIEWS, override: "books", overrideLabel: "average-of-reviews")
    @join__field(graph: BOOKS, overrideLabel: "average-of-reviews")"""


@pytest.mark.parametrize(("share", "asked_of_books"), [("true", 0), ("100", 0), ("false", 1), ("0", 1)])
async def test_a_field_moves_when_its_label_is_activated(share: str, asked_of_books: int, tmp_path: Path):
    file = tmp_path / "supergraph.graphql"
    file.write_text(SUPERGRAPH.read_text().replace(HERE, MOVING))
    traffic = Traffic.model_validate({"override_labels": f'{{"average-of-reviews": {share}}}'})
    async with opened(supergraph=file, traffic=traffic) as library:
        answer = await library.ask("{ average }")
        assert len(library.shelf.requests) == asked_of_books
    assert ("errors" in answer) == bool(asked_of_books)
