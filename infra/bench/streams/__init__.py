"""Benchmark of live streams: many watchers of generations, through the router and the ai subgraph."""
