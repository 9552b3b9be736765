"""The configuration of a router: its settings and header rules."""
