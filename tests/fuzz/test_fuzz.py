"""Every attack once on the router and once on a subgraph, from a fixed seed, without findings.

The oracle checks what a busy machine hardly changes: CPU time, bytes, responses, and service to another
client. On a machine with shared caches and cores, 20 ms of CPU time become up to 40 ms, so blocks of the loop
are reported here from 60 ms on; `make fuzz` reports them from 20 ms on.
"""

from collections.abc import AsyncIterator

import pytest

from tests.fuzz.attacks import Attack
from tests.fuzz.campaign import Campaign, open_campaign
from tests.fuzz.selection import sample_attacks

SEED = 7
SLACK = 3.0
ATTACKS = sample_attacks(SEED)


@pytest.fixture(scope="module")
async def campaign() -> AsyncIterator[Campaign]:
    async with open_campaign(slack=SLACK) as running:
        yield running


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.full_name for attack in ATTACKS])
async def test_no_process_is_harmed_by(attack: Attack, campaign: Campaign) -> None:
    found = await campaign.run_attack(attack, SEED)
    assert not found, "\n".join(map(str, found))


async def test_the_platform_leaks_nothing_and_shuts_down(campaign: Campaign) -> None:
    found = await campaign.finish()
    assert not found, "\n".join(map(str, found))
