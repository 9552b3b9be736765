"""The deadline: planning checks it at every step, and an interrupted planning leaves no partial state."""

from __future__ import annotations

from itertools import count

import pytest

from router.errors import PlanningTooLongError
from router.executor import compile_operation
from router.operation import Operation
from router.operation.deadline import Deadline
from router.planner import Planner, PlanningTimeoutError
from tests.support.planning import load_operation, load_supergraph

TEXT = """
    { product(id: "1") { ...Named ... on Product { price } maker { title } } }
    fragment Named on Product { name }
"""


def expire_after(steps: int) -> Deadline:
    """Builds a deadline that expires after this many checks."""
    return Deadline(steps, count().__next__)


def test_planning_stops_at_the_deadline_wherever_it_falls():
    operation = load_operation("shop", TEXT)
    needed = next(
        steps
        for steps in count(1)
        if render_plan_until(Planner(load_supergraph("shop")), operation, expire_after(steps)) is not None
    )

    assert needed > 30
    planner = Planner(load_supergraph("shop"))
    for steps in range(1, needed // 2):
        assert render_plan_until(planner, operation, expire_after(steps)) is None
    assert render_plan_until(planner, operation, expire_after(needed)) == str(
        Planner(load_supergraph("shop")).start(operation).plan
    )


def render_plan_until(planner: Planner, operation: Operation, deadline: Deadline) -> str | None:
    try:
        return str(planner.start(operation, None, deadline).plan)
    except PlanningTimeoutError:
        return None


def test_an_operation_that_takes_too_long_to_plan_is_refused_with_its_own_code():
    with pytest.raises(PlanningTooLongError, match="could not be planned in time") as raised:
        compile_operation(
            Planner(load_supergraph("shop")), load_operation("shop", TEXT), None, expire_after(3)
        )

    assert raised.value.to_errors() == [
        {
            "message": "The operation could not be planned in time.",
            "extensions": {"code": "QUERY_PLANNING_TIMEOUT"},
        }
    ]


@pytest.mark.parametrize("levels", [30])
def test_fragments_that_repeat_each_other_are_processed_once_for_each_set_of_conditions(levels: int):
    spread = "".join(
        f"fragment F{level} on Product {{ ...F{level + 1} ...F{level + 1} }} " for level in range(levels)
    )
    text = f'{{ product(id: "1") {{ ...F0 }} }} {spread} fragment F{levels} on Product {{ name }}'

    assert (
        render_plan_until(Planner(load_supergraph("shop")), load_operation("shop", text), expire_after(1000))
        is not None
    )
