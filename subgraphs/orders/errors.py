"""The errors of the orders domain."""

from __future__ import annotations

from subgraphs.common.errors import DomainError
from subgraphs.orders.states import OrderStatus


class BookNotApproved(DomainError):
    """There is no snapshot of the book to print."""

    code = "BOOK_NOT_APPROVED"

    def __init__(self) -> None:
        super().__init__("Approve the book first: what is printed is what was approved.")


class ProductDoesNotFit(DomainError):
    """The product is not made for books of this format and length."""

    code = "PRODUCT_DOES_NOT_FIT"

    def __init__(self) -> None:
        super().__init__("The book cannot be printed as this product: its format or page count does not fit.")


class QuoteExpired(DomainError):
    """The quote has expired."""

    code = "QUOTE_EXPIRED"

    def __init__(self) -> None:
        super().__init__("The quote has expired; ask for a new one.")


class RefundExceedsPayment(DomainError):
    """More would be refunded than was paid."""

    code = "REFUND_EXCEEDS_PAYMENT"

    def __init__(self) -> None:
        super().__init__("No more can be refunded than was paid.")


class OrderNotCancellable(DomainError):
    """The order is in production, or in a final state."""

    code = "ORDER_NOT_CANCELLABLE"

    def __init__(self, status: OrderStatus) -> None:
        super().__init__("The order can no longer be cancelled.")
        self.status = status
