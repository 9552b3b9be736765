"""The orders domain: quotes, orders and payments."""
