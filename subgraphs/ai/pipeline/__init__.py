"""The pipeline of a generation: persisted steps, each done once, each announced by a numbered event."""
