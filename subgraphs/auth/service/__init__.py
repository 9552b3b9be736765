"""The use cases of the auth domain."""

from __future__ import annotations

from subgraphs.auth.service.accounts import AccountDetails, sign_in, sign_up
from subgraphs.auth.service.consents import has_consent, record_consent, revoke_consent
from subgraphs.auth.service.keys import list_public_keys
from subgraphs.auth.service.sessions import SignedIn, refresh, revoke_session, sign_out

__all__ = [
    "AccountDetails",
    "SignedIn",
    "has_consent",
    "list_public_keys",
    "record_consent",
    "refresh",
    "revoke_consent",
    "revoke_session",
    "sign_in",
    "sign_out",
    "sign_up",
]
