"""Tests of operations and their normal form."""
