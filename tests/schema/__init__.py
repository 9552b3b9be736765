"""Tests of `schema/` and of the tools that make it."""
