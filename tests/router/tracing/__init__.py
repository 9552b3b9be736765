"""Tests of the router's spans."""
