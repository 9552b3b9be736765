"""What the mutations of auth take."""

from __future__ import annotations

import strawberry

from subgraphs.auth.models import ConsentPurpose
from subgraphs.auth.service import AccountDetails


@strawberry.input(description="An account to be made.")
class SignUpInput:
    """The input of signUp."""

    email: str
    password: str = strawberry.field(description="From 10 to 128 characters.")
    display_name: str = strawberry.field(description="At most 80 characters.")

    def details(self) -> AccountDetails:
        """The account as the service knows it."""
        return AccountDetails(self.email, self.password, self.display_name)


@strawberry.input(description="The credentials of an account.")
class SignInInput:
    """The input of signIn."""

    email: str
    password: str


@strawberry.input(description="A consent to be recorded.")
class RecordConsentInput:
    """The input of recordConsent."""

    purpose: ConsentPurpose
    policy_version: str = strawberry.field(description="The version of the policy the parent has read.")
