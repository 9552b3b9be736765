"""The names of the graph: a word has one spelling."""

from __future__ import annotations

import re

import pytest

from infra.checkout import ROOT

SUPERGRAPH = (ROOT / "schema" / "supergraph.graphql").read_text()


@pytest.mark.parametrize(("spelling", "other"), [("CANCELLED", "CANCELED"), ("Cancelled", "Canceled")])
def test_cancelled_is_spelt_with_two_l(spelling: str, other: str) -> None:
    assert re.search(spelling, SUPERGRAPH)
    assert not re.search(other, SUPERGRAPH)
