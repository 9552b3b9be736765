"""The webhooks of a fake: signed, sent until they are acknowledged, and disturbed on their way."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, Field

Signer: TypeAlias = Callable[[bytes, int], Mapping[str, str]]
"""It builds the headers that sign a raw body at a time in Unix seconds."""


def create_signer(secret: str) -> Signer:
    """Create the signer of the offline providers.

    Their header is `Memorable-Signature: t=<seconds>,v1=<hex HMAC-SHA256 of "<seconds>." and the raw body>`.
    """

    def sign(body: bytes, seconds: int) -> Mapping[str, str]:
        digest = hmac.new(secret.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
        return {"memorable-signature": f"t={seconds},v1={digest}"}

    return sign


class WebhookFaults(BaseModel):
    """What goes wrong with webhooks; in a provider's scenario, one of its switches.

    `duplicate` sends each event twice, `reorder` the newest of those that wait first, and with
    `drop_after_acceptance` the sender hangs up on the first acknowledgement of an event and sends it again.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    duplicate: bool = False
    reorder: bool = False
    drop_after_acceptance: bool = False
    delay_seconds: Annotated[float, Field(ge=0)] = 0.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send an event; `status` is None if nobody answered."""

    body: bytes
    status: int | None


class WebhookSender:
    """Sends events to one address, one after the other, and each again until it is acknowledged."""

    max_attempts = 5
    pause_seconds = 0.05

    def __init__(self, url: str, sign: Signer, client: httpx2.AsyncClient, tasks: asyncio.TaskGroup) -> None:
        self.faults = WebhookFaults()
        self.attempts: list[Attempt] = []
        self._url = url
        self._sign = sign
        self._client = client
        self._tasks = tasks
        self._waiting: list[bytes] = []
        self._sending: asyncio.Task[None] | None = None

    def send(self, event: Mapping[str, Any]) -> None:
        """Begin to send an event, after those that wait."""
        self._waiting.append(orjson.dumps(event))
        if self._sending is None or self._sending.done():
            self._sending = self._tasks.create_task(self._send_waiting())

    async def settle(self) -> None:
        """Wait until every event is acknowledged or given up."""
        if self._sending is not None:
            await self._sending

    async def _send_waiting(self) -> None:
        while self._waiting:
            await asyncio.sleep(self.faults.delay_seconds)
            bodies, self._waiting = self._waiting, []
            for body in bodies[::-1] if self.faults.reorder else bodies:
                for _ in range(2 if self.faults.duplicate else 1):
                    await self._deliver(body)

    async def _deliver(self, body: bytes) -> None:
        is_dropped = self.faults.drop_after_acceptance
        for _ in range(self.max_attempts):
            if await self._post(body):
                if not is_dropped:
                    return
                is_dropped = False
            await asyncio.sleep(self.pause_seconds)

    async def _post(self, body: bytes) -> bool:
        """Send a body once; return whether it was acknowledged. What else the response says is not read."""
        headers = {"content-type": "application/json", **self._sign(body, int(time.time()))}
        status = None
        try:
            async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
                status = response.status_code
        except httpx2.TransportError:
            pass
        self.attempts.append(Attempt(body, status))
        return status is not None and 200 <= status < 300


@asynccontextmanager
async def open_webhooks(url: str, sign: Signer) -> AsyncIterator[WebhookSender]:
    """Open a sender to an address; on exit, what waits is still sent."""
    async with httpx2.AsyncClient(timeout=10) as client, asyncio.TaskGroup() as tasks:
        yield WebhookSender(url, sign, client, tasks)
