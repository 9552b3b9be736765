"""Policies: authentication, authorisation, limits, costs, trusted documents and progressive overrides."""
