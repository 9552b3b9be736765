"""The state machine of orders under reports in any sequence."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.orders.states import CANCELLABLE, ORDER_STATES, OrderStatus, apply_print_report
from subgraphs.print.states import PrintJobStatus

STATUSES = st.sampled_from(OrderStatus)
REPORTS = st.lists(st.sampled_from(PrintJobStatus).map(lambda status: status.value), max_size=30)
GOOD_RUN = ["CREATED", "PREFLIGHT", "SUBMITTING", "SUBMITTED", "PRODUCTION_READY", "IN_PRODUCTION", "SHIPPED"]

GOOD_RUNS = st.lists(st.sampled_from(GOOD_RUN), max_size=20).flatmap(
    lambda repeated: st.permutations(GOOD_RUN + repeated)
)


def apply_reports(start: OrderStatus, reports: Sequence[str]) -> list[OrderStatus]:
    visited = [start]
    for report in reports:
        following = apply_print_report(visited[-1], report)
        if following is not None:
            visited.append(following)
    return visited


@given(STATUSES, REPORTS)
def test_no_sequence_of_reports_visits_a_state_twice(start: OrderStatus, reports: list[str]) -> None:
    visited = apply_reports(start, reports)
    assert len(visited) == len(set(visited))


@given(st.sampled_from(sorted(ORDER_STATES.terminal)), REPORTS)
def test_a_final_state_is_final(status: OrderStatus, reports: list[str]) -> None:
    assert apply_reports(status, reports) == [status]


@given(REPORTS)
def test_reports_of_print_do_not_change_an_unpaid_order(reports: list[str]) -> None:
    assert apply_reports(OrderStatus.AWAITING_PAYMENT, reports) == [OrderStatus.AWAITING_PAYMENT]


@given(
    st.lists(st.sampled_from(GOOD_RUN), max_size=20).flatmap(lambda more: st.permutations(GOOD_RUN + more))
)
def test_reports_in_any_order_end_in_the_state_shipped(reports: list[str]) -> None:
    assert apply_reports(OrderStatus.PAID, reports)[-1] is OrderStatus.SHIPPED


@given(REPORTS)
def test_a_repeated_report_changes_nothing(
    reports: list[str],
) -> None:
    repeated = [report for report in reports for _ in range(2)]
    assert apply_reports(OrderStatus.PAID, repeated) == apply_reports(OrderStatus.PAID, reports)


def test_every_status_of_print_is_mapped() -> None:
    assert {status for status in PrintJobStatus if apply_print_report(OrderStatus.PAID, status)} == set(
        PrintJobStatus
    )


def test_an_order_can_be_cancelled_until_production_begins() -> None:
    assert {OrderStatus.PAID, OrderStatus.PREPARING} == CANCELLABLE


@pytest.mark.parametrize(
    ("report", "status"),
    [
        ("PREFLIGHT", OrderStatus.PREPARING),
        ("PRODUCTION_DELAYED", OrderStatus.PREPARING),
        ("PRODUCTION_READY", OrderStatus.IN_PRODUCTION),
        ("SHIPPED", OrderStatus.SHIPPED),
        ("REJECTED", OrderStatus.PRINT_REJECTED),
        ("CANCELLED", OrderStatus.PRINT_REJECTED),
        ("ERROR", OrderStatus.PRINT_REJECTED),
    ],
)
def test_a_report_advances_a_paid_order(report: str, status: OrderStatus) -> None:
    assert apply_print_report(OrderStatus.PAID, report) is status
