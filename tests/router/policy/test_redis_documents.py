"""Persisted documents that routers share in Redis."""

from collections.abc import Mapping

from router.policy.redis_documents import RedisDocuments
from tests.router.persisted_queries import HASH, NAMED, TEXT
from tests.router.policy.redis_url import build_redis_url
from tests.router.running_library import run_library


async def test_a_document_persisted_by_one_router_is_known_to_another(servers: Mapping[str, str]):
    settings = {"router_apq": True, "router_apq_redis_url": build_redis_url(servers)}
    async with (
        run_library(**settings) as first,
        first.client.post(first.url, json={"query": TEXT, **NAMED}) as response,
    ):
        assert await response.json() == {"data": {"average": 4.5}}
    async with run_library(**settings) as second, second.client.post(second.url, json=NAMED) as response:
        assert await response.json() == {"data": {"average": 4.5}}


async def test_without_redis_no_document_is_found():
    documents = RedisDocuments("redis://127.0.0.1:1/0")
    await documents.put(HASH, TEXT)
    assert await documents.get(HASH) is None
    await documents.close()
