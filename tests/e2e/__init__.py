"""Tests of the whole platform, through its one public endpoint."""
