"""Tests of the router's settings."""
