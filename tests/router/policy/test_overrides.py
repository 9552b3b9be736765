"""Which labels of progressive overrides are active for a request."""

import pytest

from router.policy.overrides import NONE, Overrides
from router.supergraph import Supergraph
from tests.support.planning import SUPERGRAPHS, supergraph

STAFFING = (SUPERGRAPHS / "staffing.graphql").read_text()


def labelled(label: str) -> Supergraph:
    return Supergraph.parse(STAFFING.replace("percent(20)", label))


@pytest.mark.parametrize(
    ("label", "drawn", "active"),
    [
        ("percent(20)", 0.1999, True),
        ("percent(20)", 0.2, False),
        ("percent(0.5)", 0.004, True),
        ("percent(0.5)", 0.005, False),
        ("percent(100)", 0.999999, True),
        ("percent(0)", 0.0, False),
        ("percent(many)", 0.0, False),
        ("beta", 0.0, False),
    ],
)
def test_a_label_is_active_for_its_share_of_requests(label: str, drawn: float, active: bool):
    expected = {label} if active else set()
    assert Overrides(labelled(label), lambda: drawn).active() == expected


def test_nothing_is_drawn_where_there_is_no_label():
    def draw() -> float:
        raise AssertionError("drawn")

    assert Overrides(supergraph("shop"), draw).active() is NONE
