"""The state machine of print jobs under reports that come late, twice and out of order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subgraphs.print.states import CANCELLABLE, PRINT_JOB_STATES, PrintJobStatus

LULU_RUN = [
    PrintJobStatus.SUBMITTED,
    PrintJobStatus.PRODUCTION_DELAYED,
    PrintJobStatus.PRODUCTION_READY,
    PrintJobStatus.IN_PRODUCTION,
    PrintJobStatus.SHIPPED,
]


def apply_reports(start: PrintJobStatus, reports: list[PrintJobStatus]) -> list[PrintJobStatus]:
    states = [start]
    for report in reports:
        states.append(report if PRINT_JOB_STATES.is_ahead(states[-1], report) else states[-1])
    return states


@st.composite
def generate_runs(draw: st.DrawFn) -> list[PrintJobStatus]:
    run: list[PrintJobStatus] = [PrintJobStatus.CREATED]
    goes_on = st.integers(0, 9).map(bool)
    while run[-1] in PRINT_JOB_STATES.active and draw(goes_on):
        following = [status for status in PrintJobStatus if PRINT_JOB_STATES.may_become(run[-1], status)]
        run.append(draw(st.sampled_from(following)))
    return run


@given(generate_runs(), st.data())
def test_duplicated_and_reordered_reports_end_where_the_truth_ends(
    run: list[PrintJobStatus], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(run), max_size=8))
    reports = data.draw(st.permutations(run + again))
    assert apply_reports(PrintJobStatus.CREATED, reports)[-1] is run[-1]


@given(st.lists(st.sampled_from(PrintJobStatus), max_size=30))
def test_no_report_leads_back_to_an_earlier_state(reports: list[PrintJobStatus]) -> None:
    seen: list[PrintJobStatus] = []
    for state in apply_reports(PrintJobStatus.CREATED, reports):
        if seen and state is seen[-1]:
            continue
        assert state not in seen
        seen.append(state)


@given(st.sampled_from(sorted(PRINT_JOB_STATES.terminal)), st.lists(st.sampled_from(PrintJobStatus)))
def test_a_terminal_state_stays(terminal: PrintJobStatus, reports: list[PrintJobStatus]) -> None:
    assert set(apply_reports(terminal, reports)) == {terminal}


@given(st.sets(st.sampled_from(LULU_RUN[:-1])))
def test_states_between_two_polls_may_be_skipped(missing: set[PrintJobStatus]) -> None:
    reports = [status for status in LULU_RUN if status not in missing]
    assert apply_reports(PrintJobStatus.SUBMITTING, reports)[-1] is PrintJobStatus.SHIPPED


@pytest.mark.parametrize("status", [PrintJobStatus.IN_PRODUCTION, PrintJobStatus.PRODUCTION_READY])
def test_a_job_in_production_can_no_longer_be_cancelled(status: PrintJobStatus) -> None:
    assert status not in CANCELLABLE
    assert not PRINT_JOB_STATES.is_ahead(status, PrintJobStatus.CANCELLED)


def test_the_terminal_states_have_no_successors() -> None:
    assert {
        PrintJobStatus.SHIPPED,
        PrintJobStatus.REJECTED,
        PrintJobStatus.CANCELLED,
        PrintJobStatus.ERROR,
    } == PRINT_JOB_STATES.terminal
