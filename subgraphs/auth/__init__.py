"""The auth domain: who a parent is, where they are signed in, and what they consented to."""
