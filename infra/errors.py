"""Failures a person at the command line can act on."""

from __future__ import annotations


class InfraError(Exception):
    """Something outside the code is wrong; the message says what, and what to change."""
