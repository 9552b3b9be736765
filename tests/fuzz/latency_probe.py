"""`python -m tests.fuzz.latency_probe`: a client in a separate process that measures its latency.

It reads its configuration from standard input and writes the latencies in seconds to standard output, both as
JSON. In the harness's own process, the attacks would delay the client too.
"""

from __future__ import annotations

import asyncio
import sys
import time

import orjson

from tests.fuzz.raw_client import RawConnection

PAUSE = 0.02
RESPONSE_TIMEOUT = 20.0


async def main() -> None:
    """Send one request at a time, each over a new connection, and record the latencies."""
    config = orjson.loads(sys.stdin.buffer.read())
    data, deadline = config["request"].encode(), time.perf_counter() + config["seconds"]
    latencies: list[float] = []
    while time.perf_counter() < deadline or not latencies:
        started = time.perf_counter()
        connection = await RawConnection.open(config["port"], config["address"])
        try:
            await connection.send(data)
            await connection.read_response("", RESPONSE_TIMEOUT)
        finally:
            await connection.close()
        latencies.append(time.perf_counter() - started)
        await asyncio.sleep(PAUSE)
    sys.stdout.buffer.write(orjson.dumps(latencies))


if __name__ == "__main__":
    asyncio.run(main())
