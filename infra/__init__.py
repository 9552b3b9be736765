"""How Memorable runs: the command line, the local embedded stack, the schema tools and the benches."""
