"""Tests of a router whose subgraphs are in trouble, one file for each."""
