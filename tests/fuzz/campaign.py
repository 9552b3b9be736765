"""A campaign: attacks that run one after another on a monitored platform, and their findings."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.attacks import Attack, create_random
from tests.fuzz.context import AttackContext
from tests.fuzz.monitor import ProcessMonitor, Sample
from tests.fuzz.oracle import ALL_ATTACKS, NEEDS_CONFIRMATION, NEEDS_RESTART, Finding, Observation, evaluate
from tests.fuzz.parent import Bystander, Parent
from tests.fuzz.raw_client import RawConnection, build_request
from tests.fuzz.registry import REGISTRY
from tests.fuzz.target import SERVERS, Target

ATTACK_TIMEOUT = 120.0
HEALTH_TIMEOUT = 15.0
SETTLE_TIMEOUT = 15.0
READY_TIMEOUT = 90.0
CONFIRMATIONS = 2
CLOSE_TIMEOUT = 30.0
# Of the parent in whose name attacks run, so that lists of lists become long.
BOOKS = 25
# Growth over a whole campaign; caches and pools begin empty.
MAX_GROWTH_MEBIBYTES = 160.0
MAX_ADDITIONAL_FILES = 60
SHUTDOWN, KILLED = "shutdown", "did not stop on SIGTERM and was killed"


@dataclass(slots=True)
class Campaign:
    """The platform under attack, its monitor and its clients."""

    target: Target
    monitor: ProcessMonitor
    parent: Parent
    bystander: Bystander
    baseline: dict[str, Sample]
    slack: float
    closing: list[tuple[str, int, RawConnection]] = field(default_factory=list)
    background: list[asyncio.Task[None]] = field(default_factory=list)

    async def run_attack(self, attack: Attack, seed: int) -> list[Finding]:
        """Run an attack; findings that a busy machine could cause must recur in repeats."""
        found = await self._attempt(attack, seed, "")
        for repeat in range(CONFIRMATIONS):
            doubtful = {(each.kind, each.process) for each in found if each.kind in NEEDS_CONFIRMATION}
            if not doubtful or any(each.kind in NEEDS_RESTART for each in found):
                break
            again = await self._attempt(attack, seed, f"/{repeat}")
            confirmed = {(each.kind, each.process) for each in again}
            found = [
                each
                for each in found
                if each.kind not in NEEDS_CONFIRMATION or (each.kind, each.process) in confirmed
            ]
        return found

    async def _attempt(self, attack: Attack, seed: int, repeat: str) -> list[Finding]:
        await self.parent.renew_token()
        await self.bystander.parent.renew_token()
        context = AttackContext(
            self.target,
            attack,
            create_random(seed, attack.full_name + repeat),
            self.parent,
            self.bystander.parent,
        )
        self.monitor.begin()
        self.bystander.start()
        try:
            async with asyncio.timeout(ATTACK_TIMEOUT):
                await REGISTRY[attack](context)
        except TimeoutError:
            context.report(f"the attack took longer than {ATTACK_TIMEOUT:g} s")
        finally:
            await self.bystander.stop()
        usage = await self.monitor.end(SETTLE_TIMEOUT)
        unready = await self._find_unready({"router", attack.target})
        for connection in context.left_open:
            connection.abort()
        self.closing += [(attack.full_name, seed, connection) for connection in context.closing]
        self.background += context.background
        observation = Observation(
            attack,
            seed,
            context.exchanges,
            context.violations,
            usage,
            self.monitor.read_log_lines(),
            unready,
            self.bystander.request_count,
            self.bystander.failures,
            [self.parent.token[-40:], self.bystander.parent.token[-40:]],
            self.slack,
        )
        found = evaluate(observation)
        broken = {each.process for each in found if each.kind in NEEDS_RESTART}
        for process in broken & set(SERVERS):
            found += await self._replace(attack, seed, process)
        return found

    async def _find_unready(self, names: Iterable[str]) -> list[str]:
        """Find the processes that do not run, and those of `names` that are not ready."""
        missing = set(self.target.meters) - set(self.target.instrumented)
        answers = await asyncio.gather(*(self._is_ready(name) for name in names if name not in missing))
        return [*missing, *(name for name, is_ready in answers if not is_ready)]

    async def _is_ready(self, name: str) -> tuple[str, bool]:
        path = "/metrics" if name.startswith("worker") else "/health/ready"
        try:
            connection = await RawConnection.open(self.target.get_port(name))
        except (OSError, TimeoutError):
            return name, False
        try:
            await connection.send(build_request("GET", path))
            answer = await connection.read_response(path, HEALTH_TIMEOUT)
        finally:
            await connection.close()
        return name, answer.status == 200

    async def _replace(self, attack: Attack, seed: int, process: str) -> list[Finding]:
        """Terminate a process that an attack has broken, and wait until it is replaced."""
        found = []
        if process in self.target.instrumented and not await self.target.terminate(process):
            found.append(Finding(attack.full_name, seed, SHUTDOWN, process, KILLED))
        deadline = time.monotonic() + READY_TIMEOUT
        while await self._find_unready(self.target.meters):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{process} was not restarted")
            await asyncio.sleep(0.2)
        self.baseline |= {process: self.monitor.take_samples()[process]}
        return found

    async def finish(self) -> list[Finding]:
        """Check for leaked connections, memory and files, then shut the platform down."""
        unready = await self._find_unready(self.target.meters)
        found = [Finding(ALL_ATTACKS, 0, "health", process, "is not ready") for process in unready]
        found += [*await self.find_open_connections(), *self._find_leaks()]
        killed = await self.target.stop_all()
        return [*found, *(Finding(ALL_ATTACKS, 0, SHUTDOWN, process, KILLED) for process in killed)]

    async def find_open_connections(self) -> list[Finding]:
        """Report the connections that the servers have not closed in time."""
        within = CLOSE_TIMEOUT
        closed = await asyncio.gather(*(connection.is_closed(within) for _, _, connection in self.closing))
        left_open: dict[tuple[str, int], int] = {}
        for background in self.background:
            background.cancel()
        self.background.clear()
        for (attack, seed, connection), is_closed in zip(self.closing, closed, strict=True):
            connection.abort()
            if not is_closed:
                left_open[attack, seed] = left_open.get((attack, seed), 0) + 1
        self.closing.clear()
        return [
            Finding(
                attack,
                seed,
                "connection leak",
                attack.partition("@")[2],
                f"{count} connections were not closed",
            )
            for (attack, seed), count in left_open.items()
        ]

    def _find_leaks(self) -> list[Finding]:
        found = []
        for process, now in self.monitor.take_samples().items():
            then = self.baseline[process]
            if (grown := now.resident - then.resident) > MAX_GROWTH_MEBIBYTES:
                description = f"{grown:.0f} MiB more than at the beginning ({then.resident:.0f} MiB)"
                found.append(Finding(ALL_ATTACKS, 0, "memory leak", process, description))
            if now.files > then.files + MAX_ADDITIONAL_FILES:
                description = f"{now.files} open files, {then.files} at the beginning"
                found.append(Finding(ALL_ATTACKS, 0, "file leak", process, description))
        return found


@asynccontextmanager
async def open_campaign(
    on_status: Callable[[str], None] = lambda text: None, slack: float = 1.0
) -> AsyncIterator[Campaign]:
    """Start a platform and its clients, and yield a campaign against it."""
    with tempfile.TemporaryDirectory(prefix="memorable-fuzz-") as folder:
        on_status("starting a platform")
        async with Target(Path(folder)) as target:
            parent, other = Parent(target), Parent(target, address="127.0.0.2")
            await parent.sign_up(BOOKS)
            await other.sign_up()
            monitor = ProcessMonitor(target)
            bystander = Bystander(other)
            bystander.start()
            await bystander.stop()
            _raise_file_limit()
            yield Campaign(target, monitor, parent, bystander, monitor.take_samples(), slack)


def _raise_file_limit() -> None:
    """Raise this process's limit of open files; the platform's processes keep theirs."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
