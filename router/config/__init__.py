"""Configuration: everything that the environment and files say about how a router runs."""
