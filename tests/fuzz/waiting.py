"""A client in a process of its own that measures how long it waits: `python -m tests.fuzz.waiting`.

It reads what to ask from standard input and writes the delays to standard output, both as JSON. What attacks
from the harness's own process would delay there as well.
"""

from __future__ import annotations

import asyncio
import sys
import time

import orjson

from tests.fuzz.wire import Wire

PAUSE = 0.02
GIVEN_UP_AFTER = 20.0


async def main() -> None:
    """Ask again and again, one request at a time, each over a connection of its own."""
    wanted = orjson.loads(sys.stdin.buffer.read())
    data, ends = wanted["request"].encode(), time.perf_counter() + wanted["seconds"]
    delays: list[float] = []
    while time.perf_counter() < ends or not delays:
        started = time.perf_counter()
        wire = await Wire.open(wanted["port"], wanted["address"])
        try:
            await wire.send(data)
            await wire.answer("", GIVEN_UP_AFTER)
        finally:
            await wire.close()
        delays.append(time.perf_counter() - started)
        await asyncio.sleep(PAUSE)
    sys.stdout.buffer.write(orjson.dumps(delays))


if __name__ == "__main__":
    asyncio.run(main())
