"""The offline studio: it writes from a grammar, draws vector pictures and moderates by a list of words."""

NAME = "offline"
