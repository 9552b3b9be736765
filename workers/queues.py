"""The queues, each with its own workers, so that long jobs of one kind do not hold up those of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from subgraphs.common.deliveries import Delivery

DEFAULT: Final = "default"
CONCURRENCY: Final[Mapping[str, int]] = {"payments": 8, "print": 4, "ai": 8, "mail": 8, DEFAULT: 8}
"""The queues, and how many deliveries of each a worker runs at a time."""

TURN_MILLISECONDS: Final = 60_000

# arq starts a job when its score, a time in milliseconds, has passed. Turns may lie in the future, so scores
# lie long before them: only their order matters.
_SCORE_OFFSET_MILLISECONDS: Final = 365 * 24 * 3_600_000


def build_key(queue: str) -> str:
    """Build the Redis key of a queue."""
    return f"memorable:jobs:{queue}"


def assign_turns(
    due: Sequence[Delivery], last_turns: Mapping[tuple[str, str], int], now: datetime
) -> dict[str, int]:
    """Assign each delivery its turn, by which its queue is ordered: owners take turns, however many each has.

    A delivery's turn is the current time in milliseconds, but at least a minute after the last turn of the
    same owner that is unfinished (`last_turns`, by queue and owner), as in the virtual clock algorithm. One
    that is queued again keeps its turn. If Ada enqueues three jobs at 10:00:00, and Ben two at 10:00:20, they
    run in this order, however long each takes:

        Ada 10:00:00, Ben 10:00:20, Ada 10:01:00, Ben 10:01:20, Ada 10:02:00
    """
    last = dict(last_turns)
    turns = {}
    for delivery in due:
        turn = delivery.turn
        if turn is None:
            turn = int(now.timestamp() * 1000)
            if delivery.owner_id is not None:
                key = (delivery.queue, delivery.owner_id)
                last[key] = turn = max(turn, last.get(key, 0) + TURN_MILLISECONDS)
        turns[delivery.id] = turn
    return turns


def compute_score_time(turn: int) -> datetime:
    """Convert a turn to the time by which arq orders the queue."""
    return datetime.fromtimestamp((turn - _SCORE_OFFSET_MILLISECONDS) / 1000, UTC)
