"""The benches: what the platform costs in time, CPU and memory, measured on a running one."""
