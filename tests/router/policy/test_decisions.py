"""Policies judged by a decision point at a real address."""

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
ASKED = frozenset({"own", "weekday"})


@asynccontextmanager
async def decisions(point: DecisionPoint, seconds: float = 10.0) -> AsyncIterator[PolicyDecisions]:
    async with point.serve() as url, aiohttp.ClientSession() as session:
        yield PolicyDecisions(url, session, seconds)


def reasons(caplog: pytest.LogCaptureFixture) -> list[Any]:
    said = [record for record in caplog.records if (record.name, record.levelno) == ("router", logging.ERROR)]
    return [record.__dict__["metadata"]["reason"] for record in said]


async def test_the_names_and_the_claims_are_asked_as_an_opa_is_asked():
    point = DecisionPoint(own=True)
    async with decisions(point) as judge:
        assert await judge.evaluate(ASKED, CALLER, TRACEPARENT) == {"own"}
    assert point.requests == [{"input": {"policies": ["own", "weekday"], "claims": CLAIMS}}]
    [headers] = point.headers
    assert (headers["content-type"], headers["traceparent"]) == ("application/json", TRACEPARENT)
    assert "authorization" not in headers


async def test_an_anonymous_caller_has_no_claims():
    point = DecisionPoint(weekday=True)
    async with decisions(point) as judge:
        assert await judge.evaluate(ASKED, None, TRACEPARENT) == {"weekday"}
    assert point.requests == [{"input": {"policies": ["own", "weekday"], "claims": None}}]


async def test_a_policy_holds_if_it_is_true_and_was_asked_for():
    point = DecisionPoint(own=1, weekday="true", unasked=True)
    async with decisions(point) as judge:
        assert await judge.evaluate(ASKED, CALLER, TRACEPARENT) == NO_POLICIES


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
    ],
)
async def test_no_policy_holds_by_an_answer_that_tells_nothing(
    point: DecisionPoint, reason: str, caplog: pytest.LogCaptureFixture
):
    async with decisions(point) as judge:
        assert await judge.evaluate(ASKED, CALLER, TRACEPARENT) == NO_POLICIES
    assert reasons(caplog) == [reason]


async def test_no_policy_holds_when_the_answer_does_not_come_in_time(caplog: pytest.LogCaptureFixture):
    async with decisions(NeverAnswering(), seconds=0.1) as judge:
        assert await judge.evaluate(ASKED, CALLER, TRACEPARENT) == NO_POLICIES
    assert reasons(caplog) == ["no response within 0.1 seconds"]


async def test_no_policy_holds_by_half_an_answer(caplog: pytest.LogCaptureFixture):
    async with decisions(BreakingOff()) as judge:
        assert await judge.evaluate(ASKED, CALLER, TRACEPARENT) == NO_POLICIES
    assert len(reasons(caplog)) == 1


async def test_no_policy_holds_when_the_decision_point_is_down(caplog: pytest.LogCaptureFixture):
    async with refuse_connections() as url, aiohttp.ClientSession() as session:
        assert await PolicyDecisions(url, session, 10).evaluate(ASKED, CALLER, TRACEPARENT) == NO_POLICIES
    [reason] = reasons(caplog)
    assert "Cannot connect" in reason


async def test_no_policy_holds_when_nothing_judges_it(caplog: pytest.LogCaptureFixture):
    async with aiohttp.ClientSession() as session:
        assert await PolicyDecisions(None, session, 10).evaluate(ASKED, CALLER, TRACEPARENT) == NO_POLICIES
    assert reasons(caplog) == ["ROUTER_POLICY_URL is not set"]


async def test_no_policy_holds_for_claims_that_cannot_be_sent(caplog: pytest.LogCaptureFixture):
    point = DecisionPoint(own=True)
    caller = Identity("user_1", frozenset(), {"sub": "user_1", "huge": 2**70})
    async with decisions(point) as judge:
        assert await judge.evaluate(ASKED, caller, TRACEPARENT) == NO_POLICIES
    assert (point.requests, len(reasons(caplog))) == ([], 1)


@given(st.binary())
def test_no_bytes_are_taken_for_a_decision_by_mistake(body: bytes):
    with pytest.raises(InvalidDecisionError):
        parse_decision(200, body)
