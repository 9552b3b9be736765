"""Benchmarks of a running platform: time, CPU, SQL statements and memory."""
