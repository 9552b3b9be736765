"""The webhooks of a fake, at a small server that receives them."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.fakes.webhooks import Attempt, WebhookSender, create_signer, open_webhooks
from tests.support.serving import refuse_connections, serve_app

SECRET = "whsec_test"
FIRST = {"id": "evt_1", "type": "payment.succeeded", "data": {"reference": "pay_1"}}
SECOND = {"id": "evt_2", "type": "payment.refunded", "data": {"reference": "pay_1"}}


class Receiver:
    """Acknowledges each event, or answers first with these statuses."""

    def __init__(self, *statuses: int) -> None:
        self.received: list[tuple[bytes, str]] = []
        self._statuses = list(statuses)

    async def receive(self, request: Request) -> Response:
        self.received.append((await request.body(), request.headers["memorable-signature"]))
        return Response(status_code=self._statuses.pop(0) if self._statuses else 204)

    def list_ids(self) -> list[str]:
        return [orjson.loads(body)["id"] for body, _ in self.received]

    @asynccontextmanager
    async def open_sender(self) -> AsyncIterator[WebhookSender]:
        app = Starlette(routes=[Route("/webhooks", self.receive, methods=["POST"])])
        async with (
            serve_app(app) as address,
            open_webhooks(f"{address}/webhooks", create_signer(SECRET)) as sender,
        ):
            yield sender


async def test_an_event_is_signed_over_the_time_and_its_raw_body() -> None:
    receiver = Receiver()
    async with receiver.open_sender() as sender:
        sender.send(FIRST)
        await sender.settle()
    [(body, signature)] = receiver.received
    assert orjson.loads(body) == FIRST
    seconds, digest = (part.split("=")[1] for part in signature.split(","))
    assert abs(time.time() - int(seconds)) < 60
    assert digest == hmac.new(SECRET.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert sender.attempts == [Attempt(body, 204)]


def test_the_signature_has_the_value_that_openssl_computes() -> None:
    # printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
    headers = create_signer(SECRET)(b'{"id":"evt_1"}', 1_700_000_000)
    digest = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925"
    assert headers == {"memorable-signature": f"t=1700000000,v1={digest}"}


async def test_events_are_sent_in_order_and_once() -> None:
    receiver = Receiver()
    async with receiver.open_sender() as sender:
        sender.send(FIRST)
        sender.send(SECOND)
        await sender.settle()
    assert receiver.list_ids() == ["evt_1", "evt_2"]


async def test_a_duplicate_has_the_same_id_and_body() -> None:
    receiver = Receiver()
    async with receiver.open_sender() as sender:
        sender.faults.duplicate = True
        sender.send(FIRST)
        sender.send(SECOND)
        await sender.settle()
    assert receiver.list_ids() == ["evt_1", "evt_1", "evt_2", "evt_2"]
    assert receiver.received[0][0] == receiver.received[1][0]


async def test_events_that_wait_together_are_reordered() -> None:
    receiver = Receiver()
    async with receiver.open_sender() as sender:
        sender.faults.reorder = True
        sender.send(FIRST)
        sender.send(SECOND)
        await sender.settle()
    assert receiver.list_ids() == ["evt_2", "evt_1"]


async def test_a_delayed_event_arrives_later() -> None:
    receiver = Receiver()
    async with receiver.open_sender() as sender:
        sender.faults.delay_seconds = 0.3
        started = time.monotonic()
        sender.send(FIRST)
        assert receiver.received == []
        await sender.settle()
    assert time.monotonic() - started >= 0.3
    assert receiver.list_ids() == ["evt_1"]


@pytest.mark.parametrize("statuses", [(500,), (302, 429)], ids=["error", "anything but 2xx"])
async def test_an_event_is_sent_again_until_it_is_acknowledged(statuses: tuple[int, ...]) -> None:
    receiver = Receiver(*statuses)
    async with receiver.open_sender() as sender:
        sender.send(FIRST)
        sender.send(SECOND)
        await sender.settle()
    assert receiver.list_ids() == ["evt_1"] * (len(statuses) + 1) + ["evt_2"]
    assert [attempt.status for attempt in sender.attempts] == [*statuses, 204, 204]


async def test_an_event_whose_acknowledgement_is_dropped_is_accepted_twice() -> None:
    receiver = Receiver()
    async with receiver.open_sender() as sender:
        sender.faults.drop_after_acceptance = True
        sender.send(FIRST)
        await sender.settle()
    assert receiver.list_ids() == ["evt_1", "evt_1"]


async def test_an_event_that_nobody_takes_is_given_up() -> None:
    async with refuse_connections() as address, open_webhooks(address, create_signer(SECRET)) as sender:
        sender.send(FIRST)
        await sender.settle()
    assert [attempt.status for attempt in sender.attempts] == [None] * WebhookSender.max_attempts


async def test_what_waits_is_sent_before_the_sender_is_closed() -> None:
    receiver = Receiver()
    async with receiver.open_sender() as sender:
        sender.send(FIRST)
    assert receiver.list_ids() == ["evt_1"]
