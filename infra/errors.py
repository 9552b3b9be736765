"""Errors that the command line reports to its user."""

from __future__ import annotations


class InfraError(Exception):
    """The environment or the input is wrong; the message says what is wrong and how to fix it."""
