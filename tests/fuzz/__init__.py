"""A fuzz harness for the whole running platform: hostile clients, watched processes, findings."""
