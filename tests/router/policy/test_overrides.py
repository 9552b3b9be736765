"""The labels of progressive overrides that are active for a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.overrides import NO_LABELS, Overrides
from router.supergraph import Supergraph
from tests.support.planning import SUPERGRAPHS, load_supergraph

STAFFING = (SUPERGRAPHS / "staffing.graphql").read_text()


LABELS = ("use-new", "beta", "trial")
LABELLED = """
type Moved @join__type(graph: NEW, key: "id") {
  id: ID!
  a: Int @join__field(graph: NEW, override: "old", overrideLabel: "use-new")
  b: Int @join__field(graph: NEW, override: "old", overrideLabel: "beta")
  c: Int @join__field(graph: NEW, override: "old", overrideLabel: "trial")
}
"""
SEVERAL = Supergraph.parse(STAFFING.replace("percent(20)", "never") + LABELLED)


def build_supergraph(label: str) -> Supergraph:
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
    assert Overrides(build_supergraph(label), {}, lambda: drawn).draw_active_labels() == expected


@pytest.mark.parametrize(
    ("label", "share", "drawn", "active"),
    [
        ("use-new", 100.0, 0.999999, True),
        ("use-new", 0.0, 0.0, False),
        ("use-new", 25.0, 0.2499, True),
        ("use-new", 25.0, 0.25, False),
        ("percent(20)", 0.0, 0.0, False),
        ("percent(20)", 50.0, 0.4, True),
    ],
)
def test_a_configured_share_replaces_that_of_the_label(label: str, share: float, drawn: float, active: bool):
    expected = {label} if active else set()
    assert Overrides(build_supergraph(label), {label: share}, lambda: drawn).draw_active_labels() == expected


def test_shares_of_unknown_labels_are_logged_and_ignored(caplog: pytest.LogCaptureFixture):
    overrides = Overrides(build_supergraph("use-new"), {"use-old": 100.0, "use-new": 100.0, "aged": 5.0})
    assert overrides.draw_active_labels() == {"use-new"}
    [record] = caplog.records
    assert (record.message, record.__dict__["metadata"]) == (
        "The supergraph has no such override labels",
        {"labels": ["aged", "use-old"]},
    )


@given(st.dictionaries(st.sampled_from(LABELS), st.floats(0, 100)), st.lists(st.floats(0, 1), max_size=50))
def test_there_are_at_most_as_many_label_sets_as_shares_plus_one(
    shares: dict[str, float], draws: list[float]
):
    drawn = iter(draws)
    overrides = Overrides(SEVERAL, shares, lambda: next(drawn))
    assert len({overrides.draw_active_labels() for _ in draws if shares}) <= len(set(shares.values())) + 1


def test_no_random_number_is_drawn_without_labels():
    def draw() -> float:
        raise AssertionError("drawn")

    assert Overrides(load_supergraph("shop"), {}, draw).draw_active_labels() is NO_LABELS
