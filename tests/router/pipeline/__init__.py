"""Tests of the preparation of operations."""
