"""The command that runs a worker: `python -m workers --queues …`."""

import asyncio
import os
import sys

import pytest
from arq.connections import ArqRedis

from subgraphs.common import deliveries
from subgraphs.common.deliveries import DeliveryState
from subgraphs.orders.jobs import ExpireOrder
from subgraphs.print.jobs import PreflightPrintJob
from tests.support.deliveries import build_delivery_row
from tests.workers.harness import ROOT, read_deliveries, wait_until
from workers.__main__ import main
from workers.platform import Platform


async def test_a_worker_process_runs_the_queues_of_its_option_alone(
    environ: dict[str, str], platform: Platform, queue: ArqRedis
) -> None:
    waiting = {"orders": (ExpireOrder("ord_1"), "payments"), "print": (PreflightPrintJob("prj_1"), "print")}
    for domain, (job, name) in waiting.items():
        row = build_delivery_row(job.name(), name, payload=job.to_payload())
        async with platform.runtimes[domain].unit_of_work() as uow:
            await deliveries.add(uow.session, platform.runtimes[domain].domain.get_table("deliveries"), [row])

    async def read_state(domain: str) -> tuple[DeliveryState, int]:
        [delivery] = [
            each
            for each in await read_deliveries(platform, domain)
            if each.destination == waiting[domain][0].name()
        ]
        return delivery.state, delivery.attempts

    async def has_run() -> bool:
        return await read_state("orders") == (DeliveryState.REFUSED, 1)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers", "--queues", "payments"),
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await wait_until(has_run)
        await asyncio.sleep(0.5)
        assert await read_state("print") == (DeliveryState.DUE, 0)
        process.terminate()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("names", ["cooking", "ai,cooking", ""])
def test_a_queue_that_does_not_exist_is_named(names: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--queues", names])
    assert ended.value.code == 2
    unknown = repr(names.rpartition(",")[2])
    expected = f"there is no queue {unknown}; the queues are payments,print,ai,mail,default"
    assert expected in capsys.readouterr().err
