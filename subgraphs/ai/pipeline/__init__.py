"""How a generation is run: persisted steps, each done once, each announced under its own number."""
