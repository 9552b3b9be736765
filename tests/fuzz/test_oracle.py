"""The fuzz oracle: what it reports as a finding, and what it accepts."""

from typing import Any

import pytest

from tests.fuzz.attacks import Attack
from tests.fuzz.monitor import Usage
from tests.fuzz.oracle import Observation, evaluate
from tests.fuzz.parent import MARKER
from tests.fuzz.raw_client import Exchange

JSON = {"content-type": "application/json"}
FINE = Exchange("{ __typename }", "answered", 200, JSON, b'{"data":{}}')
IDLE = Usage(0.001, 0.001, 0.001, "", 0.01, 0.0, 1.0, has_settled=True, has_ended=False)


def build_observation(
    *exchanges: Exchange, is_burst: bool = False, may_close: bool = False, **changes: Any
) -> Observation:
    attack = Attack("http.x", "router", is_burst, may_close)
    defaults: dict[str, Any] = {
        "exchanges": exchanges or (FINE,),
        "violations": (),
        "usage": {"router": IDLE},
        "log_lines": {},
        "unready": (),
        "bystander_requests": 0,
        "bystander_failures": (),
        "secrets": ("signature",),
    }
    return Observation(attack, 1, **(defaults | changes))


def find_kinds(*exchanges: Exchange, **changes: Any) -> set[str]:
    return {each.kind for each in evaluate(build_observation(*exchanges, **changes))}


def build_response(status: int, body: bytes, headers: dict[str, str] = JSON) -> Exchange:
    return Exchange("x", "answered", status, headers, body)


def build_usage(**changed: Any) -> dict[str, Usage]:
    values = {name: getattr(IDLE, name) for name in Usage.__dataclass_fields__}
    return {"router": Usage(**(values | changed))}


def test_an_error_response_is_no_finding() -> None:
    assert (
        find_kinds(build_response(400, b'{"errors":[{"message":"no"}]}'), build_response(431, b"", {}))
        == set()
    )


@pytest.mark.parametrize(
    ("exchange", "kind"),
    [
        (Exchange("x"), "not answered"),
        (Exchange("x", "closed"), "closed"),
        (build_response(500, b"{}"), "failed"),
        (build_response(502, b"{}"), "failed"),
        (build_response(503, b"{}"), "overloaded"),
        (build_response(200, b'{"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}'), "failed"),
        (build_response(200, b'{"data":'), "invalid JSON"),
        (build_response(200, b"", {**JSON, "content-length": "5"}), "invalid JSON"),
    ],
)
def test_a_forbidden_outcome_is_found(exchange: Exchange, kind: str) -> None:
    assert find_kinds(exchange) == {kind}


def test_a_response_to_head_has_a_length_and_no_body() -> None:
    assert find_kinds(Exchange("HEAD / HTTP/1.1", "answered", 403, {**JSON, "content-length": "5"})) == set()


def test_a_protocol_violation_may_close_the_connection() -> None:
    assert find_kinds(Exchange("x", "closed"), may_close=True) == set()
    assert find_kinds(Exchange("x", "silent"), may_close=True) == {"not answered"}


def test_requests_of_a_burst_may_be_rejected() -> None:
    assert find_kinds(FINE, build_response(503, b"{}"), Exchange("x", "refused"), is_burst=True) == set()


@pytest.mark.parametrize(
    ("usage", "kind"),
    [
        (build_usage(blocked=0.021), "blocked"),
        (build_usage(starved=0.3), "starved"),
        (build_usage(gc=0.03), "garbage"),
        (build_usage(peak_growth=200.0), "memory"),
        (build_usage(has_settled=False), "stuck"),
        (build_usage(cpu_afterwards=3.0), "busy"),
        (build_usage(has_ended=True), "ended"),
    ],
)
def test_excessive_usage_is_found(usage: dict[str, Usage], kind: str) -> None:
    assert find_kinds(usage=usage) == {kind}


def test_slack_raises_the_limits() -> None:
    assert find_kinds(usage=build_usage(blocked=0.05)) == {"blocked"}
    assert find_kinds(usage=build_usage(blocked=0.05), slack=3.0) == set()
    assert find_kinds(usage=build_usage(blocked=0.061), slack=3.0) == {"blocked"}


def test_a_burst_is_judged_by_loop_time_per_request() -> None:
    assert find_kinds(*[FINE] * 100, usage=build_usage(blocked=0.3, loop_seconds=1.9), is_burst=True) == set()
    assert find_kinds(*[FINE] * 100, usage=build_usage(blocked=0.3, loop_seconds=2.1), is_burst=True) == {
        "blocked"
    }


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('{"level":"error","message":"A request failed"}', "logged failure"),
        ("Traceback (most recent call last):", "logged failure"),
        ("x" * 4_097, "log line"),
        (f'{{"level":"info","message":"{MARKER}"}}', "secret"),
        (f'{{"level":"info","message":"{MARKER.lower()}@example.com"}}', "secret"),
        ('{"level":"info","message":"a.b.signature"}', "secret"),
        ('{"level":"info","message":"\u202e"}', "control character"),
        ("\x1b[31m", "control character"),
    ],
)
def test_a_forbidden_log_line_is_found(line: str, kind: str) -> None:
    assert find_kinds(log_lines={"router": [line]}) == {kind}


def test_a_traceback_outside_of_the_log_format_is_shown_whole() -> None:
    lines = [
        '{"level":"info","message":"fine"}',
        "Exception ignored in: <function Pool.__del__>",
        "Traceback (most recent call last):",
        "ValueError: the cause",
        '{"level":"info","message":"fine"}',
    ]
    [found] = evaluate(build_observation(log_lines={"router": lines}))
    assert found.description == "\n".join(lines[1:4])


def test_excessive_logging_is_found() -> None:
    line = '{"level":"info","message":"fine"}'
    assert find_kinds(log_lines={"router": [line] * 100}) == set()
    assert find_kinds(log_lines={"router": [line] * 1_000}) == {"log size"}
    assert find_kinds(*[FINE] * 100, log_lines={"router": [line] * 1_000}) == set()


def test_failures_of_other_clients_are_found() -> None:
    assert find_kinds(unready=["books"], bystander_failures=["no answer"], violations=["served"]) == {
        *("health", "bystander", "protocol")
    }


def test_a_finding_says_how_to_reproduce_it() -> None:
    attack = Attack("http.x", "books", is_burst=False, may_close=False)
    observation = Observation(attack, 42, [Exchange("x")], (), {}, {}, (), 0, (), ())
    [found] = evaluate(observation)
    assert "memorable fuzz --seed 42 --only http.x@books" in str(found)


@pytest.mark.parametrize(
    ("exchange", "count"),
    [
        (FINE, 1),
        (build_response(200, b'[{"data":{}},{"data":{}}]'), 2),
        (build_response(400, b"[]"), 1),
        (build_response(200, b"[{", {}), 1),
        (Exchange("x", "closed"), 1),
    ],
)
def test_an_accepted_batch_counts_as_its_operations(exchange: Exchange, count: int) -> None:
    assert exchange.operation_count == count
