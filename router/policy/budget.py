"""The budget of what a client's operations may cost in a period."""

from __future__ import annotations

from typing import Protocol


class CostBudget(Protocol):
    """Counts the estimated costs of each client's operations."""

    async def spend(self, client: str, cost: int) -> None:
        """Charges an operation's estimated cost to a client.

        Raises:
            CostBudgetError: the budget is exhausted.
        """
        ...
