"""The edge of the job queue: the outbox relay, and one thin module of tasks per domain."""
