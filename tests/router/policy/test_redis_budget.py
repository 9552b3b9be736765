"""The cost budget of callers per minute, counted in Redis."""

import secrets
from collections.abc import Mapping

import pytest

from router.errors import CostBudgetError
from router.policy.redis_budget import RedisCostBudget
from tests.router.policy.redis_url import build_redis_url
from tests.router.running_library import run_library


class Clock:
    """A clock that the test sets."""

    now = 6_000_015.0

    def __call__(self) -> float:
        return self.now


async def test_a_spent_budget_is_restored_in_the_next_minute(servers: Mapping[str, str]):
    clock, client = Clock(), secrets.token_hex()
    first, second = (RedisCostBudget(build_redis_url(servers), 10, clock) for _ in range(2))
    await first.spend(client, 6)
    await second.spend(client, 4)
    await first.spend("another " + client, 10)
    with pytest.raises(CostBudgetError) as refusal:
        await first.spend(client, 1)
    assert (refusal.value.status, refusal.value.headers) == (429, {"retry-after": "45"})
    assert refusal.value.to_errors()[0]["extensions"] == {
        "code": "COST_BUDGET_EXCEEDED",
        "cost": {"estimated": 1, "limitPerMinute": 10},
    }
    clock.now += 45
    await second.spend(client, 10)
    for each in (first, second):
        await each.close()


async def test_while_redis_is_down_nothing_is_counted_and_connecting_is_delayed():
    clock = Clock()
    budget = RedisCostBudget("redis://127.0.0.1:1/0", 1, clock)
    for _ in range(2):
        await budget.spend("client", 100)
    assert budget._unavailable_until == clock.now + 1
    await budget.close()


async def test_a_router_answers_429_to_a_caller_who_has_spent_the_budget(servers: Mapping[str, str]):
    settings = {
        "limits": {"cost_per_minute": 60, "list_size": 50},
        "router_cost_redis_url": build_redis_url(servers),
    }
    async with run_library(**settings) as library:
        one, other = (
            {"authorization": f"Bearer {library.identities.issue_token(sub=secrets.token_hex())}"}
            for _ in range(2)
        )
        assert "data" in await library.execute("{ books { id } }", **one)
        body = {"query": "{ books { title } }"}
        async with library.client.post(library.url, json=body, headers=one) as response:
            assert response.status == 429
            assert 1 <= int(response.headers["retry-after"]) <= 60
            answer = await response.json(content_type=None)
            assert answer["errors"][0]["extensions"]["code"] == "COST_BUDGET_EXCEEDED"
        assert "data" in await library.execute("{ books { id } }", **other)
