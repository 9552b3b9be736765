"""The commands that a Redis server has executed."""

from collections import Counter

from redis.asyncio import Redis


async def count_commands(redis: Redis) -> Counter[str]:
    """Count the commands that the server has executed so far, but not those that count them."""
    statistics = await redis.info("commandstats")
    counts = {name.removeprefix("cmdstat_"): each["calls"] for name, each in statistics.items()}
    return Counter({name: calls for name, calls in counts.items() if name != "info"})
