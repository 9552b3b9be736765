"""Policy decisions of a decision point over HTTP."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.policy.auth import Identity
from router.policy.decisions import NO_POLICIES, InvalidDecisionError, PolicyDecisions, parse_decision
from tests.router.decision_point import BreakingOff, DecisionPoint, FixedAnswer, NeverAnswering
from tests.support.serving import refuse_connections

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CLAIMS = {"sub": "user_1", "scope": ["parent"], "tenant": {"id": 7}}
CALLER = Identity("user_1", frozenset({"parent"}), CLAIMS)
POLICIES = frozenset({"own", "weekday"})


@asynccontextmanager
async def open_decisions(point: DecisionPoint, seconds: float = 10.0) -> AsyncIterator[PolicyDecisions]:
    async with point.serve() as url, aiohttp.ClientSession() as session:
        yield PolicyDecisions(url, session, seconds)


def list_reasons(caplog: pytest.LogCaptureFixture) -> list[Any]:
    records = [
        record for record in caplog.records if (record.name, record.levelno) == ("router", logging.ERROR)
    ]
    return [record.__dict__["metadata"]["reason"] for record in records]


async def test_the_request_has_the_policies_and_the_claims_as_input_of_opa():
    point = DecisionPoint(own=True)
    async with open_decisions(point) as decisions:
        assert await decisions.evaluate(POLICIES, CALLER, TRACEPARENT) == {"own"}
    assert point.requests == [{"input": {"policies": ["own", "weekday"], "claims": CLAIMS}}]
    [headers] = point.headers
    assert (headers["content-type"], headers["traceparent"]) == ("application/json", TRACEPARENT)
    assert "authorization" not in headers


async def test_an_anonymous_caller_has_no_claims():
    point = DecisionPoint(weekday=True)
    async with open_decisions(point) as decisions:
        assert await decisions.evaluate(POLICIES, None, TRACEPARENT) == {"weekday"}
    assert point.requests == [{"input": {"policies": ["own", "weekday"], "claims": None}}]


async def test_a_policy_holds_only_if_it_was_requested_and_is_true():
    point = DecisionPoint(own=1, weekday="true", unasked=True)
    async with open_decisions(point) as decisions:
        assert await decisions.evaluate(POLICIES, CALLER, TRACEPARENT) == NO_POLICIES


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (FixedAnswer(b'{"result": {"own": true}}', 500), "HTTP 500"),
        (FixedAnswer(b"", 302, location="/v1/data/elsewhere"), "HTTP 302"),
        (FixedAnswer(b"<html>"), "the body is not JSON"),
        (FixedAnswer(b""), "the body is not JSON"),
        (FixedAnswer(b"{}"), "the body has no object 'result'"),
        (FixedAnswer(b"[]"), "the body has no object 'result'"),
        (FixedAnswer(b'{"result": true}'), "the body has no object 'result'"),
        (FixedAnswer(b'{"result": ["own"]}'), "the body has no object 'result'"),
        (FixedAnswer(b" " * 100_001), "The body is larger than 100000 bytes."),
    ],
)
async def test_no_policy_holds_after_an_unusable_answer(
    point: DecisionPoint, reason: str, caplog: pytest.LogCaptureFixture
):
    async with open_decisions(point) as decisions:
        assert await decisions.evaluate(POLICIES, CALLER, TRACEPARENT) == NO_POLICIES
    assert list_reasons(caplog) == [reason]


async def test_no_policy_holds_after_a_timeout(caplog: pytest.LogCaptureFixture):
    async with open_decisions(NeverAnswering(), seconds=0.1) as decisions:
        assert await decisions.evaluate(POLICIES, CALLER, TRACEPARENT) == NO_POLICIES
    assert list_reasons(caplog) == ["no response within 0.1 seconds"]


async def test_no_policy_holds_after_an_incomplete_answer(caplog: pytest.LogCaptureFixture):
    async with open_decisions(BreakingOff()) as decisions:
        assert await decisions.evaluate(POLICIES, CALLER, TRACEPARENT) == NO_POLICIES
    assert len(list_reasons(caplog)) == 1


async def test_no_policy_holds_when_the_decision_point_is_down(caplog: pytest.LogCaptureFixture):
    async with refuse_connections() as url, aiohttp.ClientSession() as session:
        assert await PolicyDecisions(url, session, 10).evaluate(POLICIES, CALLER, TRACEPARENT) == NO_POLICIES
    [reason] = list_reasons(caplog)
    assert "Cannot connect" in reason


async def test_no_policy_holds_without_a_decision_point(caplog: pytest.LogCaptureFixture):
    async with aiohttp.ClientSession() as session:
        assert await PolicyDecisions(None, session, 10).evaluate(POLICIES, CALLER, TRACEPARENT) == NO_POLICIES
    assert list_reasons(caplog) == ["ROUTER_POLICY_URL is not set"]


async def test_no_policy_holds_for_claims_that_cannot_be_sent(caplog: pytest.LogCaptureFixture):
    point = DecisionPoint(own=True)
    caller = Identity("user_1", frozenset(), {"sub": "user_1", "huge": 2**70})
    async with open_decisions(point) as decisions:
        assert await decisions.evaluate(POLICIES, caller, TRACEPARENT) == NO_POLICIES
    assert (point.requests, len(list_reasons(caplog))) == ([], 1)


@given(st.binary())
def test_arbitrary_bytes_are_not_a_decision(body: bytes):
    with pytest.raises(InvalidDecisionError):
        parse_decision(200, body)
