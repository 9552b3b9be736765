"""A hunt: attacks one after the other on a platform that is watched, and what they find."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.arena import Arena
from tests.fuzz.attacks import Attack, source
from tests.fuzz.judge import EVERY_ATTACK, STOPPED, TO_CONFIRM, Finding, Observation, findings
from tests.fuzz.parent import Bystander, Parent
from tests.fuzz.target import SERVERS, Target
from tests.fuzz.watch import Reading, Watch
from tests.fuzz.wire import Wire, request

ATTACK_WITHIN = 120.0
HEALTHY_WITHIN = 15.0
SETTLED_WITHIN = 15.0
READY_WITHIN = 90.0
CONFIRMATIONS = 2
CLOSED_WITHIN = 30.0
# What a process may keep for good: caches that were empty at the start, and pools.
GROWTH_MEBIBYTES = 160.0
MORE_FILES = 60
ENDING, KILLED = "end", "did not end on SIGTERM, and was killed"


@dataclass(slots=True)
class Hunt:
    """The platform, its watch, and those who ask."""

    target: Target
    watch: Watch
    parent: Parent
    bystander: Bystander
    start: dict[str, Reading]
    slack: float
    lingering: list[tuple[str, int, Wire]] = field(default_factory=list)
    feeding: list[asyncio.Task[None]] = field(default_factory=list)

    async def strike(self, attack: Attack, seed: int) -> list[Finding]:
        """Launch an attack; what a busy moment could have caused has to show in repeats too."""
        found = await self._once(attack, seed, "")
        for repeat in range(CONFIRMATIONS):
            doubtful = {(each.kind, each.process) for each in found if each.kind in TO_CONFIRM}
            if not doubtful or any(each.kind in STOPPED for each in found):
                break
            again = await self._once(attack, seed, f"/{repeat}")
            confirmed = {(each.kind, each.process) for each in again}
            found = [
                each
                for each in found
                if each.kind not in TO_CONFIRM or (each.kind, each.process) in confirmed
            ]
        return found

    async def _once(self, attack: Attack, seed: int, repeat: str) -> list[Finding]:
        await self.parent.renew()
        await self.bystander.parent.renew()
        arena = Arena(
            self.target, attack, source(seed, attack.full_name + repeat), self.parent, self.bystander.parent
        )
        self.watch.begin()
        self.bystander.start()
        try:
            async with asyncio.timeout(ATTACK_WITHIN):
                await attack.launch(arena)
        except TimeoutError:
            arena.complain(f"it took longer than {ATTACK_WITHIN:g} s")
        finally:
            await self.bystander.stop()
        usage = await self.watch.end(SETTLED_WITHIN)
        unwell = await self._unwell({"router", attack.target})
        for wire in arena.left:
            wire.abort()
        self.lingering += [(attack.full_name, seed, wire) for wire in arena.lingering]
        self.feeding += arena.feeding
        seen = Observation(
            attack,
            seed,
            arena.exchanges,
            arena.complaints,
            usage,
            self.watch.log_lines(),
            unwell,
            self.bystander.turn,
            self.bystander.failures,
            [self.parent.token[-40:], self.bystander.parent.token[-40:]],
            self.slack,
        )
        found = findings(seen)
        stopped = {each.process for each in found if each.kind in STOPPED}
        for process in stopped & set(SERVERS):
            found += await self._replace(attack, seed, process)
        return found

    async def _unwell(self, asked: Iterable[str]) -> list[str]:
        """The processes that are not there, and of some those that do not answer that they are well."""
        missing = set(self.target.meters) - set(self.target.observed)
        answers = await asyncio.gather(*(self._is_well(name) for name in asked if name not in missing))
        return [*missing, *(name for name, well in answers if not well)]

    async def _is_well(self, name: str) -> tuple[str, bool]:
        path = "/metrics" if name.startswith("worker") else "/health/ready"
        try:
            wire = await Wire.open(self.target.port(name))
        except (OSError, TimeoutError):
            return name, False
        try:
            await wire.send(request("GET", path))
            answer = await wire.answer(path, HEALTHY_WITHIN)
        finally:
            await wire.close()
        return name, answer.status == 200

    async def _replace(self, attack: Attack, seed: int, process: str) -> list[Finding]:
        """End a process that an attack has stopped, so that the next attack meets a well one."""
        found = []
        if process in self.target.observed and not await self.target.end(process):
            found.append(Finding(attack.full_name, seed, ENDING, process, KILLED))
        deadline = time.monotonic() + READY_WITHIN
        while await self._unwell(self.target.meters):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{process} does not come back")
            await asyncio.sleep(0.2)
        self.start |= {process: self.watch.readings()[process]}
        return found

    async def finish(self) -> list[Finding]:
        """What is left behind when all attacks are over: open connections, memory, files; and the ending."""
        unwell = await self._unwell(self.target.meters)
        found = [
            Finding(EVERY_ATTACK, 0, "health", process, "does not say that it is well") for process in unwell
        ]
        found += [*await self.still_open(), *self._still_kept()]
        killed = await self.target.stop_all()
        return [*found, *(Finding(EVERY_ATTACK, 0, ENDING, process, KILLED) for process in killed)]

    async def still_open(self) -> list[Finding]:
        """The connections that were left open and have not been closed in time."""
        within = CLOSED_WITHIN
        closed = await asyncio.gather(*(wire.is_closed(within) for _, _, wire in self.lingering))
        left: dict[tuple[str, int], int] = {}
        for feeding in self.feeding:
            feeding.cancel()
        self.feeding.clear()
        for (attack, seed, wire), is_closed in zip(self.lingering, closed, strict=True):
            wire.abort()
            if not is_closed:
                left[attack, seed] = left.get((attack, seed), 0) + 1
        self.lingering.clear()
        return [
            Finding(attack, seed, "left open", attack.partition("@")[2], f"{count} connections stay open")
            for (attack, seed), count in left.items()
        ]

    def _still_kept(self) -> list[Finding]:
        found = []
        for process, now in self.watch.readings().items():
            then = self.start[process]
            if (grown := now.resident - then.resident) > GROWTH_MEBIBYTES:
                what = f"{grown:.0f} MiB more than at the start ({then.resident:.0f})"
                found.append(Finding(EVERY_ATTACK, 0, "memory kept", process, what))
            if now.files > then.files + MORE_FILES:
                what = f"{now.files} open files, {then.files} at the start"
                found.append(Finding(EVERY_ATTACK, 0, "files kept", process, what))
        return found


@asynccontextmanager
async def hunting(
    notice: Callable[[str], None] = lambda text: None, slack: float = 1.0
) -> AsyncIterator[Hunt]:
    """A platform of its own, with everybody there."""
    with tempfile.TemporaryDirectory(prefix="memorable-fuzz-") as folder:
        notice("starting a platform of its own")
        async with Target(Path(folder)) as target:
            parent, other = Parent(target), Parent(target, address="127.0.0.2")
            await parent.arrive()
            await other.arrive()
            watch = Watch(target)
            bystander = Bystander(other)
            bystander.start()
            await bystander.stop()
            _open_as_many_as_may_be()
            yield Hunt(target, watch, parent, bystander, watch.readings(), slack)


def _open_as_many_as_may_be() -> None:
    """Let this process have more connections than most may; those that run already keep their limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
