"""Documents that routers share in Redis."""

from collections.abc import Mapping

from router.policy.redis_documents import RedisDocuments
from tests.router.persisted_queries import HASH, NAMED, TEXT
from tests.router.running_library import run_library


def url_of(servers: Mapping[str, str]) -> str:
    return f"redis://:{servers['REDIS_PASSWORD']}@{servers['REDIS_HOST']}:{servers['REDIS_PORT']}/9"


async def test_what_one_router_learned_another_one_knows(servers: Mapping[str, str]):
    settings = {"router_apq": True, "router_apq_redis_url": url_of(servers)}
    async with (
        run_library(**settings) as first,
        first.client.post(first.url, json={"query": TEXT, **NAMED}) as response,
    ):
        assert await response.json() == {"data": {"average": 4.5}}
    async with run_library(**settings) as second, second.client.post(second.url, json=NAMED) as response:
        assert await response.json() == {"data": {"average": 4.5}}


async def test_a_redis_that_is_down_knows_nothing():
    documents = RedisDocuments("redis://127.0.0.1:1/0")
    await documents.put(HASH, TEXT)
    assert await documents.get(HASH) is None
    await documents.close()
