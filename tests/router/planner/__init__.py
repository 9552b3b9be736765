"""Tests of the planner, one concept per module: operations and their expected plans."""
