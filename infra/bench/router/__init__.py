"""Benchmark of the router alone: one wide query over four fast subgraphs."""
