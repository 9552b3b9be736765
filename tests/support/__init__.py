"""Helpers that tests share: real servers, tokens and clients."""
