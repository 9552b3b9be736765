"""Tests of the books domain."""
