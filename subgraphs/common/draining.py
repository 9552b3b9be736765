"""Draining: a worker that is to end finishes the steps that it has begun, and begins no others."""


class Drained(Exception):
    """A job stopped where another worker can continue, because its own worker is to end."""
