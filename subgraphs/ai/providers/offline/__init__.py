"""The offline studio: writes from a grammar and draws in vectors, without a network."""
