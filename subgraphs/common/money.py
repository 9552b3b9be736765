"""Money as integer minor units of an ISO 4217 currency; no amount is ever a float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from fractions import Fraction
from functools import total_ordering
from typing import Final, Self

# ISO 4217, List One: the currencies whose minor unit is not a hundredth.
_EXPONENTS: Final = {
    currency: exponent
    for exponent, currencies in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for currency in currencies.split()
}


class Rounding(Enum):
    """How an exact amount becomes a number of minor units."""

    HALF_UP = auto()
    """To the nearest one; a half goes away from zero."""
    DOWN = auto()
    """Towards zero, so that it is never more than the exact amount."""

    def round(self, exact: Fraction) -> int:
        """Round to an integer."""
        shifted = abs(exact) + Fraction(1, 2) if self is Rounding.HALF_UP else abs(exact)
        return int(shifted) if exact >= 0 else -int(shifted)


def get_exponent(currency: str) -> int:
    """Get the number of decimals of a currency: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _EXPONENTS.get(currency, 2)


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in minor units (cents, pence, yen).

    Amounts of different currencies are never equal; adding or comparing them raises ValueError.
    """

    amount: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._require_same_currency("add", other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._require_same_currency("subtract", other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, factor: int) -> Money:
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._require_same_currency("compare", other)
        return self.amount < other.amount

    def multiply(self, ratio: Fraction, rounding: Rounding) -> Money:
        """Multiply by a ratio, such as a tax rate, and round once."""
        return Money(rounding.round(self.amount * ratio), self.currency)

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Allocate it over parts in proportion to their weights; the parts always add up to the whole.

        Each part is rounded down, and the units that are left go to the parts with the largest remainders,
        the earlier one first where two are equal. 1.00 USD by the weights 1, 2 and 4:

            exact shares    14.29  28.57  57.14
            rounded down    14     28     57        1 cent is left
            allocated       14     29     57        28.57 has lost most

        Raises:
            ValueError: A weight is negative, or none is positive.
        """
        if min(weights, default=0) < 0 or not any(weights):
            raise ValueError(f"cannot allocate by the weights {list(weights)}")
        shares = [self.amount * Fraction(weight, sum(weights)) for weight in weights]
        units = [Rounding.DOWN.round(share) for share in shares]
        left = self.amount - sum(units)
        neediest = sorted(range(len(units)), key=lambda part: -abs(shares[part] - units[part]))
        for part in neediest[: abs(left)]:
            units[part] += 1 if left > 0 else -1
        return [Money(amount, self.currency) for amount in units]

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Return zero in a currency, such as the start of a sum."""
        return cls(0, currency)

    @classmethod
    def of_decimal(cls, value: Decimal, currency: str, rounding: Rounding) -> Self:
        """Convert an amount in the major unit, such as Decimal("16.745") in USD."""
        return cls(rounding.round(Fraction(value) * 10 ** get_exponent(currency)), currency)

    def to_decimal(self) -> Decimal:
        """Convert to the major unit with all its decimals: 1675 in USD is Decimal("16.75")."""
        return Decimal(self.amount).scaleb(-get_exponent(self.currency))

    def _require_same_currency(self, verb: str, other: Money) -> None:
        if other.currency != self.currency:
            raise ValueError(f"cannot {verb} {other.currency} and {self.currency}")
