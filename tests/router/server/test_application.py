"""The GraphQL endpoint in front of the routing: middleware wraps it, and other requests reach the routes."""

import aiohttp
import pytest

from tests.router.running_library import Library, run_library

ORIGIN = "https://app.example.com"


async def test_middleware_also_wraps_the_graphql_endpoint(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROUTER_CORS_ORIGINS", ORIGIN)
    async with (
        run_library() as library,
        library.client.post(
            library.url, json={"query": "{ average }"}, headers={"origin": ORIGIN}
        ) as response,
    ):
        assert await response.json() == {"data": {"average": 4.5}}
        assert response.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("method", ["PATCH", "PURGE"])
async def test_other_methods_are_left_to_the_routing(library: Library, method: str):
    async with library.client.request(method, library.url) as response:
        assert response.status == 405
        allowed = {name.strip() for name in response.headers["allow"].split(",")}
        assert allowed == {"GET", "HEAD", "POST", "PUT", "DELETE"}


async def test_other_paths_are_left_to_the_routing(library: Library):
    async with aiohttp.ClientSession() as client, client.get(f"{library.origin}/graphql/nothing") as response:
        assert response.status == 404
