"""A fuzz harness for the running platform: attacks, process monitoring, and an oracle."""
