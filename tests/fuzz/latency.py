"""The latency of another client beside an attack, compared with an equal load of ordinary requests.

A batch of ten operations counts as ten requests.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson

from infra.checkout import ROOT
from tests.fuzz.attacks import Attack, create_random
from tests.fuzz.campaign import Campaign
from tests.fuzz.context import MAX_CONCURRENT, AttackContext
from tests.fuzz.oracle import Finding
from tests.fuzz.parent import Bystander
from tests.fuzz.raw_client import build_graphql_request
from tests.fuzz.registry import REGISTRY

LANES = 2
SECONDS = 4.0
# Seconds between the requests of a lane; a burst's concurrent requests have no pauses.
PAUSE = 0.1
MAX_RATIO = 2.0
MAX_ATTEMPTS = 3
# Added to both latencies, so that noise of this size does not look like a multiple.
NOISE_SECONDS = 0.01
# Connections left open accumulate over the launches.
MAX_LEFT_OPEN = 500

Load = Callable[[], Awaitable[None]]


async def compare(campaign: Campaign, attack: Attack, seed: int) -> list[Finding]:
    """Return a finding if the other client's latency more than doubles in every attempt."""
    ratios = []
    for attempt in range(MAX_ATTEMPTS):
        under_attack, sent = await _measure_beside_attack(campaign, attack, f"{seed}/{attempt}")
        lanes = MAX_CONCURRENT if attack.is_burst else LANES
        under_load = await _measure_beside_requests(campaign, lanes, sent)
        ratios.append((under_attack + NOISE_SECONDS) / (under_load + NOISE_SECONDS))
        if ratios[-1] <= MAX_RATIO:
            return []
    shown = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    description = f"another client waits {shown} times as long as under an equal load of ordinary requests"
    return [Finding(attack.full_name, seed, "latency", attack.target, description)]


async def _measure_beside_attack(campaign: Campaign, attack: Attack, seed: str) -> tuple[float, int]:
    """Measure the other client's median latency; return it with the number of operations of the attack."""
    contexts: list[AttackContext] = []

    async def launch() -> None:
        connections = [
            connection for context in contexts for connection in (*context.closing, *context.left_open)
        ]
        if len(connections) > MAX_LEFT_OPEN:
            await asyncio.sleep(SECONDS)
            return
        random = create_random(len(contexts), f"{seed}/{attack.full_name}")
        context = AttackContext(
            campaign.target, attack, random, campaign.parent, campaign.bystander.parent, pause=PAUSE
        )
        contexts.append(context)
        # Errors are reported when the attack runs alone.
        with suppress(OSError, TimeoutError):
            await REGISTRY[attack](context)

    try:
        latency = await _measure(campaign, LANES, launch)
        exchanges = [exchange for context in contexts for exchange in context.exchanges]
        return latency, sum(exchange.operation_count for exchange in exchanges)
    finally:
        for context in contexts:
            for connection in (*context.closing, *context.left_open):
                connection.abort()
            for background in context.background:
                background.cancel()


async def _measure_beside_requests(campaign: Campaign, lanes: int, count: int) -> float:
    """Measure the other client's median latency beside as many ordinary requests in the same time."""
    pause = lanes * SECONDS / max(1, count)

    async def send_request() -> None:
        await asyncio.gather(
            campaign.parent.send(Bystander.KNOWN, id=campaign.parent.book),
            asyncio.sleep(pause),
        )

    return await _measure(campaign, lanes, send_request)


async def _measure(campaign: Campaign, count: int, load: Load) -> float:
    """Measure the other client's median latency beside `count` concurrent lanes of a load."""

    async def run_lane() -> None:
        while True:
            await load()

    lanes = [asyncio.create_task(run_lane()) for _ in range(count)]
    try:
        return await _measure_median_latency(campaign)
    finally:
        for each in lanes:
            each.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


async def _measure_median_latency(campaign: Campaign) -> float:
    await campaign.parent.renew_token()
    other = campaign.bystander.parent
    await other.renew_token()
    data = build_graphql_request(
        Bystander.KNOWN, {"id": other.book}, [("authorization", f"Bearer {other.token}")]
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fuzz.latency_probe"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    config = {
        "port": campaign.target.get_port("router"),
        "address": other.address,
        "request": data.decode(),
        "seconds": SECONDS,
    }
    output, _ = await process.communicate(orjson.dumps(config))
    latencies: list[float] = orjson.loads(output)
    return statistics.median(latencies)
