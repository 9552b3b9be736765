"""The auth domain: accounts, sessions and consents."""
