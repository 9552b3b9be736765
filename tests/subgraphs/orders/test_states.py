"""The order's state machine: no order of reports leads it astray."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.orders.states import (
    CANCELLABLE,
    TERMINAL,
    OrderStatus,
    apply_print_report,
    can_become,
)
from subgraphs.print.states import PrintJobStatus

STATUSES = st.sampled_from(OrderStatus)
REPORTS = st.lists(st.sampled_from(PrintJobStatus).map(lambda status: status.value), max_size=30)
GOOD_RUN = ["CREATED", "PREFLIGHT", "SUBMITTING", "SUBMITTED", "PRODUCTION_READY", "IN_PRODUCTION", "SHIPPED"]

GOOD_RUNS = st.lists(st.sampled_from(GOOD_RUN), max_size=20).flatmap(
    lambda repeated: st.permutations(GOOD_RUN + repeated)
)


def follow(start: OrderStatus, reports: Sequence[str]) -> list[OrderStatus]:
    visited = [start]
    for report in reports:
        following = apply_print_report(visited[-1], report)
        if following is not None:
            visited.append(following)
    return visited


@given(st.lists(STATUSES, min_size=2, max_size=12))
def test_no_walk_comes_to_a_state_twice(walk: list[OrderStatus]) -> None:
    visited = walk[:1]
    for status in walk[1:]:
        if can_become(visited[-1], status):
            visited.append(status)
    assert len(visited) == len(set(visited))


@given(STATUSES, REPORTS)
def test_no_reports_bring_an_order_to_a_state_twice(start: OrderStatus, reports: list[str]) -> None:
    visited = follow(start, reports)
    assert len(visited) == len(set(visited))


@given(st.sampled_from(sorted(TERMINAL)), REPORTS)
def test_a_final_state_is_final(status: OrderStatus, reports: list[str]) -> None:
    assert follow(status, reports) == [status]
    assert not any(can_become(status, other) for other in OrderStatus)


@given(REPORTS)
def test_an_unpaid_order_is_not_moved_by_print(reports: list[str]) -> None:
    assert follow(OrderStatus.AWAITING_PAYMENT, reports) == [OrderStatus.AWAITING_PAYMENT]


@given(
    st.lists(st.sampled_from(GOOD_RUN), max_size=20).flatmap(lambda more: st.permutations(GOOD_RUN + more))
)
def test_a_good_run_ends_shipped_however_its_reports_come(reports: list[str]) -> None:
    assert follow(OrderStatus.PAID, reports)[-1] is OrderStatus.SHIPPED


@given(REPORTS)
def test_a_report_that_is_repeated_changes_nothing(
    reports: list[str],
) -> None:
    repeated = [report for report in reports for _ in range(2)]
    assert follow(OrderStatus.PAID, repeated) == follow(OrderStatus.PAID, reports)


def test_every_status_of_print_is_understood() -> None:
    assert {status for status in PrintJobStatus if apply_print_report(OrderStatus.PAID, status)} == set(
        PrintJobStatus
    )


def test_an_order_can_be_cancelled_until_its_printing_begins() -> None:
    assert {OrderStatus.PAID, OrderStatus.PREPARING} == CANCELLABLE


@pytest.mark.parametrize(
    ("report", "status"),
    [
        ("PREFLIGHT", OrderStatus.PREPARING),
        ("PRODUCTION_DELAYED", OrderStatus.PREPARING),
        ("PRODUCTION_READY", OrderStatus.IN_PRODUCTION),
        ("SHIPPED", OrderStatus.SHIPPED),
        ("REJECTED", OrderStatus.PRINT_REJECTED),
        ("CANCELED", OrderStatus.PRINT_REJECTED),
        ("ERROR", OrderStatus.PRINT_REJECTED),
    ],
)
def test_a_report_moves_a_paid_order(report: str, status: OrderStatus) -> None:
    assert apply_print_report(OrderStatus.PAID, report) is status
