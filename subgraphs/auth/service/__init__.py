"""The use cases of the auth domain."""

from __future__ import annotations

from subgraphs.auth.service.accounts import NewAccount, check_credentials, sign_up
from subgraphs.auth.service.consents import record_consent, revoke_consent
from subgraphs.auth.service.sessions import (
    SignedIn,
    open_session,
    refresh,
    revoke_session,
    sign_out,
)

__all__ = [
    "NewAccount",
    "SignedIn",
    "check_credentials",
    "open_session",
    "record_consent",
    "refresh",
    "revoke_consent",
    "revoke_session",
    "sign_out",
    "sign_up",
]
