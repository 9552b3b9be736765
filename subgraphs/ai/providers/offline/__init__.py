"""The offline studio: a provider that writes from a grammar and draws vector pictures, without a network."""
