"""Tests of access control, limits, costs and documents."""
