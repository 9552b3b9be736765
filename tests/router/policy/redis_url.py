"""The URL of the test Redis for the router."""

from collections.abc import Mapping


def build_redis_url(servers: Mapping[str, str]) -> str:
    return f"redis://:{servers['REDIS_PASSWORD']}@{servers['REDIS_HOST']}:{servers['REDIS_PORT']}/9"
