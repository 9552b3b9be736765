"""What the judge of the fuzz harness takes for a finding, and what it lets pass."""

from typing import Any

import pytest

from tests.fuzz.attacks import Attack
from tests.fuzz.judge import Observation, findings
from tests.fuzz.parent import MARKER
from tests.fuzz.watch import Usage
from tests.fuzz.wire import Exchange

JSON = {"content-type": "application/json"}
FINE = Exchange("{ __typename }", "answered", 200, JSON, b'{"data":{}}')
CALM = Usage(0.001, 0.001, 0.001, "", 0.01, 0.0, 1.0, has_settled=True, has_ended=False)


async def nothing(_: Any) -> None:
    """Launch nothing."""


def kinds(*exchanges: Exchange, is_burst: bool = False, may_hang_up: bool = False, **seen: Any) -> set[str]:
    attack = Attack("http.x", "router", nothing, is_burst, may_hang_up)
    whole: dict[str, Any] = {
        "exchanges": exchanges or (FINE,),
        "complaints": (),
        "usage": {"router": CALM},
        "log_lines": {},
        "unwell": (),
        "bystander_requests": 0,
        "bystander_failures": (),
        "secrets": ("signature",),
    }
    return {each.kind for each in findings(Observation(attack, 1, **(whole | seen)))}


def answered(status: int, body: bytes, headers: dict[str, str] = JSON) -> Exchange:
    return Exchange("x", "answered", status, headers, body)


def used(**changed: Any) -> dict[str, Usage]:
    values = {name: getattr(CALM, name) for name in Usage.__dataclass_fields__}
    return {"router": Usage(**(values | changed))}


def test_what_is_refused_with_an_error_is_no_finding() -> None:
    assert kinds(answered(400, b'{"errors":[{"message":"no"}]}'), answered(431, b"", {})) == set()


@pytest.mark.parametrize(
    ("exchange", "kind"),
    [
        (Exchange("x"), "not answered"),
        (Exchange("x", "closed"), "hung up"),
        (answered(500, b"{}"), "failed"),
        (answered(502, b"{}"), "failed"),
        (answered(503, b"{}"), "overloaded"),
        (answered(200, b'{"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}'), "failed"),
        (answered(200, b'{"data":'), "invalid JSON"),
        (answered(200, b"", {**JSON, "content-length": "5"}), "invalid JSON"),
    ],
)
def test_an_answer_that_no_attack_may_get(exchange: Exchange, kind: str) -> None:
    assert kinds(exchange) == {kind}


def test_the_answer_to_head_has_a_length_and_no_body() -> None:
    assert kinds(Exchange("HEAD / HTTP/1.1", "answered", 403, {**JSON, "content-length": "5"})) == set()


def test_a_breach_of_the_protocol_may_be_answered_by_hanging_up() -> None:
    assert kinds(Exchange("x", "closed"), may_hang_up=True) == set()
    assert kinds(Exchange("x", "silent"), may_hang_up=True) == {"not answered"}


def test_of_a_burst_some_may_be_turned_away() -> None:
    assert kinds(FINE, answered(503, b"{}"), Exchange("x", "refused"), is_burst=True) == set()


@pytest.mark.parametrize(
    ("usage", "kind"),
    [
        (used(held=0.021), "held"),
        (used(starved=0.3), "starved"),
        (used(collecting=0.03), "garbage"),
        (used(peak_growth=200.0), "memory"),
        (used(has_settled=False), "stuck"),
        (used(cpu_afterwards=3.0), "busy"),
        (used(has_ended=True), "ended"),
    ],
)
def test_what_no_process_may_use(usage: dict[str, Usage], kind: str) -> None:
    assert kinds(usage=usage) == {kind}


def test_a_busy_machine_is_given_slack() -> None:
    assert kinds(usage=used(held=0.05)) == {"held"}
    assert kinds(usage=used(held=0.05), slack=3.0) == set()
    assert kinds(usage=used(held=0.061), slack=3.0) == {"held"}


def test_a_burst_is_measured_by_the_request() -> None:
    assert kinds(*[FINE] * 100, usage=used(held=0.3, loop_seconds=1.9), is_burst=True) == set()
    assert kinds(*[FINE] * 100, usage=used(held=0.3, loop_seconds=2.1), is_burst=True) == {"held"}


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
def test_what_no_log_may_say(line: str, kind: str) -> None:
    assert kinds(log_lines={"router": [line]}) == {kind}


def test_a_log_that_grows_by_more_than_its_requests_is_found() -> None:
    line = '{"level":"info","message":"fine"}'
    assert kinds(log_lines={"router": [line] * 100}) == set()
    assert kinds(log_lines={"router": [line] * 1_000}) == {"log size"}
    assert kinds(*[FINE] * 100, log_lines={"router": [line] * 1_000}) == set()


def test_others_have_to_be_served() -> None:
    assert kinds(unwell=["books"], bystander_failures=["no answer"], complaints=["served"]) == {
        *("health", "bystander", "protocol")
    }


def test_a_finding_tells_how_it_is_found_again() -> None:
    attack = Attack("http.x", "books", nothing, is_burst=False, may_hang_up=False)
    seen = Observation(attack, 42, [Exchange("x")], (), {}, {}, (), 0, (), ())
    [found] = findings(seen)
    assert "memorable fuzz --seed 42 --only http.x@books" in str(found)
