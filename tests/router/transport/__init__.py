"""Tests of the transports to subgraphs."""
