"""Progressive overrides, activated by the settings of a running router."""

from pathlib import Path

import pytest

from router.config.traffic import Traffic
from tests.router.library import SUPERGRAPH
from tests.router.running_library import run_library

FIELD = "average: Float @join__field(graph: REVIEWS)"
OVERRIDDEN_FIELD = """average: Float
    @join__field(graph: REVIEWS, override: "books", overrideLabel: "average-of-reviews")
    @join__field(graph: BOOKS, overrideLabel: "average-of-reviews")"""


@pytest.mark.parametrize(("share", "book_requests"), [(True, 0), (100, 0), (False, 1), (0, 1)])
async def test_a_field_moves_when_its_label_is_activated(share: float, book_requests: int, tmp_path: Path):
    file = tmp_path / "supergraph.graphql"
    file.write_text(SUPERGRAPH.read_text().replace(FIELD, OVERRIDDEN_FIELD))
    traffic = Traffic.model_validate({"override_labels": {"average-of-reviews": share}})
    async with run_library(supergraph=file, traffic=traffic) as library:
        answer = await library.execute("{ average }")
        assert len(library.books.requests) == book_requests
    assert ("errors" in answer) == bool(book_requests)
