"""Tests of reading the supergraph."""
