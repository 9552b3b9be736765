"""The inputs of the orders domain's mutations."""

from __future__ import annotations

import strawberry

from subgraphs.common import postal
from subgraphs.common.postal import ShippingLevel
from subgraphs.orders.service import QuoteRequest


@strawberry.input(description="A postal address.")
class AddressInput:
    """A postal address in an input."""

    name: str = strawberry.field(description="The recipient; at most 80 characters.")
    line1: str
    line2: str | None = None
    city: str
    region: str | None = strawberry.field(default=None, description="A state or province.")
    postal_code: str
    country_code: str = strawberry.field(description="ISO 3166, two letters.")
    phone: str = strawberry.field(description="For the carrier.")

    def to_address(self) -> postal.Address:
        """Convert to the argument of the use case."""
        return postal.Address(**vars(self))


@strawberry.input(description="The copies to quote a price for.")
class CreateQuoteInput:
    """The input of createQuote."""

    book_id: strawberry.ID
    product_id: strawberry.ID
    quantity: int = strawberry.field(default=1, description="From 1 to 100 copies, in one parcel.")
    shipping_address: AddressInput
    shipping_level: ShippingLevel = ShippingLevel.MAIL

    def to_request(self) -> QuoteRequest:
        """Convert to the argument of the use case."""
        return QuoteRequest(
            book_id=self.book_id,
            product_id=self.product_id,
            quantity=self.quantity,
            shipping_address=self.shipping_address.to_address(),
            shipping_level=self.shipping_level,
        )


@strawberry.input(description="The quote to buy, and an attempt to pay for it.")
class CheckoutInput:
    """The input of checkout."""

    quote_id: strawberry.ID
    payment_method: str = strawberry.field(
        description="The payment provider's id of the method, such as `pm_card_visa`."
    )
    attempt_key: str = strawberry.field(
        description="A key that the client chooses for this attempt, such as a UUID. Repeating a checkout "
        "with the same key returns the same attempt; a new key tries again after a decline."
    )
