"""Merging of fetch steps where no other step has to wait longer."""

from __future__ import annotations

from router.operation.deadline import NEVER
from router.planner.fetch_graph import FetchGraph
from router.planner.merges import compute_depths, merge_steps
from router.planner.plan import Input, InputField
from router.planner.steps import FetchStep, SelectedField, SelectionBuilder, StepRepresentation


def build_step(
    number: int, graph: str, *parents: FetchStep, field: str, key: str = "id", **sent: str
) -> FetchStep:
    """An entity step that selects one field and sends some, each read from a key of the data."""
    found = FetchStep(number, graph, "entities", ("thing",), parents=set(parents))
    found.selection.narrow("Thing").add_field(SelectedField(field, field, "", frozenset(), frozenset()))
    fields = tuple(InputField(name, source) for name, source in sent.items())
    found.representations["Thing", "Thing"] = StepRepresentation(
        "Thing", key, frozenset({"Thing"}), Input(fields), frozenset({"Thing"})
    )
    return found


def list_fields(graph: FetchGraph) -> list[list[str]]:
    return [[field.key for field in each.selection.iterate_top_level_fields()] for each in graph.steps]


def test_steps_of_one_wave_to_one_subgraph_are_merged():
    first, other = build_step(0, "A", field="x", id="id"), build_step(1, "A", field="y", id="id", size="size")

    graph = merge_steps(FetchGraph((first, other)), NEVER)

    assert list_fields(graph) == [["x", "y"]]
    assert [field.name for field in graph.steps[0].representations["Thing", "Thing"].input.fields] == [
        "id",
        "size",
    ]


def test_a_step_without_dependents_is_merged_into_a_later_one():
    early, before = build_step(0, "A", field="x", id="id"), build_step(1, "B", field="b", id="id")
    late = build_step(2, "A", before, field="y", id="id", b="b")

    graph = merge_steps(FetchGraph((early, before, late)), NEVER)

    assert list_fields(graph) == [["b"], ["y", "x"]]


def test_a_step_with_dependents_stays_early():
    early, before = build_step(0, "A", field="x", id="id"), build_step(1, "B", field="b", id="id")
    late = build_step(2, "A", before, field="y", id="id", b="b")
    waiting = build_step(3, "C", early, field="c", x="x")

    graph = merge_steps(FetchGraph((early, before, late, waiting)), NEVER)

    assert list_fields(graph) == [["x"], ["b"], ["y"], ["c"]]
    assert [compute_depths(graph.steps)[each] for each in graph.steps] == [0, 0, 1, 1]


def test_steps_that_send_different_values_for_one_field_stay_apart():
    metres = build_step(0, "A", field="x", id="id", size="size")
    inches = build_step(1, "A", field="y", id="id", size="_size_1")

    assert list_fields(merge_steps(FetchGraph((metres, inches)), NEVER)) == [["x"], ["y"]]


def test_steps_that_use_different_keys_stay_apart():
    by_id, by_code = (
        build_step(0, "A", field="x", id="id"),
        build_step(1, "A", field="y", key="code", code="code"),
    )

    assert list_fields(merge_steps(FetchGraph((by_id, by_code)), NEVER)) == [["x"], ["y"]]


def test_dependents_of_a_merged_step_wait_for_the_step_it_joined():
    first, other = build_step(0, "A", field="x", id="id"), build_step(1, "A", field="y", id="id")
    waiting = build_step(2, "B", other, field="b", y="y")

    graph = merge_steps(FetchGraph((first, other, waiting)), NEVER)

    assert list_fields(graph) == [["x", "y"], ["b"]]
    assert waiting.parents == {first}


def test_selections_of_two_steps_below_one_field_are_merged():
    first, other = build_step(0, "A", field="box", id="id"), build_step(1, "A", field="box", id="id")
    for each, name in ((first, "width"), (other, "height")):
        [box] = each.selection.iterate_top_level_fields()
        box.selection = SelectionBuilder()
        box.selection.add_field(SelectedField(name, name, "", frozenset(), frozenset()))

    [only] = merge_steps(FetchGraph((first, other)), NEVER).steps

    [box] = only.selection.iterate_top_level_fields()
    assert box.selection
    assert [field.key for field in box.selection.iterate_top_level_fields()] == ["width", "height"]


def test_objects_that_are_presented_under_two_names_stay_apart():
    as_thing, as_item = build_step(0, "A", field="x", id="id"), build_step(1, "A", field="y", id="id")
    [presentations] = as_item.representations.values()
    presentations.target = "Item"

    assert list_fields(merge_steps(FetchGraph((as_thing, as_item)), NEVER)) == [["x"], ["y"]]


def test_values_under_conditions_that_exclude_each_other_stay_apart():
    steps = build_step(0, "A", field="x", size="size"), build_step(1, "A", field="y", size="size")
    for each, variable in zip(steps, ("one", "other"), strict=True):
        [presentations] = each.representations.values()
        presentations.input = presentations.input.map_conditions(frozenset({(variable, True)}).union)

    assert list_fields(merge_steps(FetchGraph(steps), NEVER)) == [["x"], ["y"]]
