"""Differential tests of planning and execution against one server that has all the data."""
