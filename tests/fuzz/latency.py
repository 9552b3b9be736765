"""How long another client waits beside an attack, compared with an equal harmless load."""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson

from infra.checkout import ROOT
from tests.fuzz.arena import AT_ONCE, Arena
from tests.fuzz.attacks import Attack, source
from tests.fuzz.hunt import Hunt
from tests.fuzz.judge import Finding
from tests.fuzz.parent import Bystander
from tests.fuzz.wire import posted

LANES = 2
SECONDS = 4.0
# Between the requests of a lane, as clients have it; a burst has no pauses in what it sends at once.
PAUSE = 0.1
ALLOWED = 2.0
ATTEMPTS = 3
# What a client and a machine do by chance, a hundredth of a second, is no multiple of anything.
UNNOTICED = 0.01
# Connections that stay open add up from launch to launch.
MAX_LEFT = 500

Load = Callable[[], Awaitable[None]]


async def compare(hunt: Hunt, attack: Attack, seed: int) -> list[Finding]:
    """A finding if the other client waits more than twice as long, each time it is tried."""
    ratios = []
    for attempt in range(ATTEMPTS):
        hostile, sent = await _beside_attack(hunt, attack, f"{seed}/{attempt}")
        lanes = AT_ONCE if attack.is_burst else LANES
        harmless = await _beside_requests(hunt, lanes, sent)
        ratios.append((hostile + UNNOTICED) / (harmless + UNNOTICED))
        if ratios[-1] <= ALLOWED:
            return []
    told = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    what = f"another client waits {told} times as long as under an equal harmless load"
    return [Finding(attack.full_name, seed, "latency", attack.target, what)]


async def _beside_attack(hunt: Hunt, attack: Attack, seed: str) -> tuple[float, int]:
    """What the other client waits, and how many requests the attack sent meanwhile."""
    arenas: list[Arena] = []

    async def launch() -> None:
        left = [wire for arena in arenas for wire in (*arena.lingering, *arena.left)]
        if len(left) > MAX_LEFT:
            await asyncio.sleep(SECONDS)
            return
        chance = source(len(arenas), f"{seed}/{attack.full_name}")
        arena = Arena(hunt.target, attack, chance, hunt.parent, hunt.bystander.parent, pause=PAUSE)
        arenas.append(arena)
        # What it finds is found where it is launched alone.
        with suppress(OSError, TimeoutError):
            await attack.launch(arena)

    try:
        waited = await _waited(hunt, LANES, launch)
        return waited, sum(len(arena.exchanges) for arena in arenas)
    finally:
        for arena in arenas:
            for wire in (*arena.lingering, *arena.left):
                wire.abort()
            for feeding in arena.feeding:
                feeding.cancel()


async def _beside_requests(hunt: Hunt, lanes: int, count: int) -> float:
    """What the other client waits beside as many ordinary requests, spread over the same time."""
    pause = lanes * SECONDS / max(1, count)

    async def ask() -> None:
        await asyncio.gather(
            hunt.parent.send(Bystander.KNOWN, id=hunt.parent.book),
            asyncio.sleep(pause),
        )

    return await _waited(hunt, lanes, ask)


async def _waited(hunt: Hunt, count: int, load: Load) -> float:
    """The median of what the other client waits beside some lanes of a load."""

    async def lane() -> None:
        while True:
            await load()

    lanes = [asyncio.create_task(lane()) for _ in range(count)]
    try:
        return await _delay(hunt)
    finally:
        for each in lanes:
            each.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


async def _delay(hunt: Hunt) -> float:
    await hunt.parent.renew()
    other = hunt.bystander.parent
    await other.renew()
    data = posted(Bystander.KNOWN, {"id": other.book}, [("authorization", f"Bearer {other.token}")])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fuzz.waiting"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    wanted = {
        "port": hunt.target.port("router"),
        "address": other.address,
        "request": data.decode(),
        "seconds": SECONDS,
    }
    answer, _ = await process.communicate(orjson.dumps(wanted))
    delays: list[float] = orjson.loads(answer)
    return statistics.median(delays)
