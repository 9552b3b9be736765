"""Watchers: clients of one event stream each, so cheap that one process can be thousands of them."""

from __future__ import annotations

import asyncio
import re
import resource
import time
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Self, cast

import orjson

from infra.demo import documents
from infra.errors import InfraError

OPENED_AT_A_TIME = 100
ANSWER_TIMEOUT = 120.0
# For the files of this process that are no watchers.
OWN_FILES = 256

_HEAD_END = b"\r\n\r\n"
_STATUS = slice(9, 12)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_NUMBER = re.compile(rb'"sequence":(\d+)')
_CODE = re.compile(rb'"code":"(\w+)"')


def raise_file_limit(files: int) -> None:
    """Let this process, and the processes that it starts, open so many files.

    Raises:
        InfraError: The hard limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = files + OWN_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise InfraError(
            f"So many watchers need {needed} open files in the router; the hard limit is {hard} (ulimit -Hn)."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))


class Arrivals:
    """When each event, by its number, reached the first watcher and the last one, and how many it reached."""

    def __init__(self) -> None:
        self._first: dict[int, float] = {}
        self._last: dict[int, float] = {}
        self._counts: Counter[int] = Counter()

    def add(self, number: int, now: float) -> None:
        """Add the arrival of an event at a watcher."""
        self._first.setdefault(number, now)
        self._last[number] = now
        self._counts[number] += 1

    @property
    def events(self) -> int:
        """The number of different events."""
        return len(self._counts)

    def is_complete(self, watchers: int) -> bool:
        """Whether each event has reached so many watchers."""
        return all(count == watchers for count in self._counts.values())

    def compute_delays(self) -> list[float]:
        """Compute the seconds between the first and the last watcher of each event."""
        return [self._last[number] - first for number, first in self._first.items()]


class Watcher(asyncio.Protocol):
    """One event stream, whose events are counted but not decoded.

    `refusal` is the code of the error with which it was refused or failed; `HTTP 503` without a code.
    """

    __slots__ = (
        "_arrivals",
        "_request",
        "_status",
        "_transport",
        "_unread",
        "answered",
        "ended",
        "ended_at",
        "opened_at",
        "refusal",
    )

    def __init__(self, request: bytes, arrivals: Arrivals) -> None:
        loop = asyncio.get_running_loop()
        self.answered: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.opened_at = time.perf_counter()
        self.ended_at = 0.0
        self.refusal = ""
        self._request = request
        self._arrivals = arrivals
        self._status = b""
        self._unread = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        # uvloop's transports are not subclasses of `asyncio.Transport`.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Read the head of the response, or events."""
        now, self._unread = time.perf_counter(), self._unread + data
        if not self._status:
            self._status = self._unread[_STATUS]
        if self._status == b"200":
            self._read_events(now)
        elif self._has_whole_body():
            self._end(now, _find_code(self._unread) or f"HTTP {self._status.decode()}")
        if not self.answered.done():
            self.answered.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The stream has ended, or was cut off."""
        self._end(time.perf_counter(), "cut off")
        if not self.answered.done():
            self.answered.set_result(None)

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _read_events(self, now: float) -> None:
        whole, end, rest = self._unread.rpartition(b"\n\n")
        if not end:
            return
        self._unread = rest
        for number in _NUMBER.findall(whole):
            self._arrivals.add(int(number), now)
        if b'"errors":' in whole:
            self.refusal = _find_code(whole)
        if b"event: complete" in whole:
            self._end(now, self.refusal)

    def _has_whole_body(self) -> bool:
        head, end, body = self._unread.partition(_HEAD_END)
        length = _LENGTH.search(head)
        return bool(end) and length is not None and len(body) >= int(length[1])

    def _end(self, now: float, refusal: str) -> None:
        if not self.ended.done():
            self.ended_at, self.refusal = now, refusal
            self.ended.set_result(None)


class Crowd:
    """Many watchers; leaving the context closes their connections."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self.arrivals = Arrivals()
        self.watchers: list[Watcher] = []
        self._address = host, port
        self._token = token

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for watcher in self.watchers:
            watcher.close()
        await self.wait_for_end()

    async def open(
        self, generation_ids: Sequence[str], count: int, *, are_alike: bool, at_a_time: int = OPENED_AT_A_TIME
    ) -> None:
        """Open so many more streams, of the generations in turn, and wait until each has been answered.

        Watchers that are not alike are different clients, so that the router may share nothing among them.
        """
        slots = asyncio.Semaphore(at_a_time)
        first = len(self.watchers)

        async def open_one(number: int) -> None:
            agent = "watcher" if are_alike else f"watcher {number}"
            request = self._build_request(generation_ids[number % len(generation_ids)], agent)
            async with slots:
                watcher = Watcher(request, self.arrivals)
                self.watchers.append(watcher)
                await asyncio.get_running_loop().create_connection(lambda: watcher, *self._address)
                await watcher.answered

        async with asyncio.timeout(ANSWER_TIMEOUT), asyncio.TaskGroup() as tasks:
            for number in range(first, first + count):
                tasks.create_task(open_one(number))

    async def wait_for_end(self) -> None:
        """Wait until all streams have ended."""
        if self.watchers:
            await asyncio.wait([watcher.ended for watcher in self.watchers])

    def count_refusals(self) -> Counter[str]:
        """Count the streams that were refused or have failed, by code."""
        return Counter(watcher.refusal for watcher in self.watchers if watcher.refusal)

    def list_refused(self) -> list[Watcher]:
        """List the streams that were refused or have failed."""
        return [watcher for watcher in self.watchers if watcher.refusal]

    def list_accepted(self) -> list[Watcher]:
        """List the other streams."""
        return [watcher for watcher in self.watchers if not watcher.refusal]

    def _build_request(self, generation_id: str, agent: str) -> bytes:
        variables = {"id": generation_id, "after": 0}
        body = orjson.dumps({"query": documents.WATCH_GENERATION, "variables": variables})
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: {self._address[0]}\r\nuser-agent: {agent}\r\n"
            f"authorization: Bearer {self._token}\r\naccept: text/event-stream\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def compute_spread(watchers: Sequence[Watcher]) -> float:
    """Compute the seconds between the ends of the first and the last stream."""
    ends = [watcher.ended_at for watcher in watchers]
    return max(ends) - min(ends)


def summarise(seconds: Sequence[float]) -> tuple[float, float]:
    """Return the median and the maximum in milliseconds; zeros if there are none."""
    return (median(seconds) * 1000, max(seconds) * 1000) if seconds else (0.0, 0.0)


def _find_code(text: bytes) -> str:
    found = _CODE.search(text)
    return found[1].decode() if found else ""
