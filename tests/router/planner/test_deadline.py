"""The deadline: planning observes it at every step, and leaves nothing half learnt behind."""

from __future__ import annotations

from itertools import count

import pytest

from router.errors import PlanningTooLongError
from router.executor import compile_operation
from router.operation import Operation
from router.operation.deadline import Deadline
from router.planner import Planner, PlanningTimeoutError
from tests.support.planning import build_operation, load_supergraph

TEXT = """
    { product(id: "1") { ...Named ... on Product { price } maker { title } } }
    fragment Named on Product { name }
"""


def ticking(steps: int) -> Deadline:
    """A deadline that is over after some looks at the clock."""
    return Deadline(steps, count().__next__)


def test_planning_gives_up_wherever_the_deadline_falls():
    asked = build_operation("shop", TEXT)
    needed = next(
        steps
        for steps in count(1)
        if _plan(Planner(load_supergraph("shop")), asked, ticking(steps)) is not None
    )

    assert needed > 30
    planner = Planner(load_supergraph("shop"))
    for steps in range(1, needed // 2):
        assert _plan(planner, asked, ticking(steps)) is None
    assert _plan(planner, asked, ticking(needed)) == str(Planner(load_supergraph("shop")).start(asked).plan)


def _plan(planner: Planner, asked: Operation, deadline: Deadline) -> str | None:
    try:
        return str(planner.start(asked, None, deadline).plan)
    except PlanningTimeoutError:
        return None


def test_an_operation_that_takes_too_long_is_refused_as_one():
    with pytest.raises(PlanningTooLongError, match="could not be planned in the time") as raised:
        compile_operation(Planner(load_supergraph("shop")), build_operation("shop", TEXT), None, ticking(3))

    assert raised.value.to_errors() == [
        {
            "message": "The operation could not be planned in the time that this may take.",
            "extensions": {"code": "QUERY_PLANNING_TIMEOUT"},
        }
    ]


@pytest.mark.parametrize("levels", [30])
def test_fragments_that_repeat_each_other_are_read_once_for_each_set_of_conditions(levels: int):
    spread = "".join(
        f"fragment F{level} on Product {{ ...F{level + 1} ...F{level + 1} }} " for level in range(levels)
    )
    text = f'{{ product(id: "1") {{ ...F0 }} }} {spread} fragment F{levels} on Product {{ name }}'

    assert _plan(Planner(load_supergraph("shop")), build_operation("shop", text), ticking(1000)) is not None
