"""A persisted query: its text, its hash, and the request that names it."""

import hashlib

TEXT = "{ average }"


HASH = hashlib.sha256(TEXT.encode()).hexdigest()


NAMED = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}}
