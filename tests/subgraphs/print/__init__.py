"""Tests of the print domain."""
