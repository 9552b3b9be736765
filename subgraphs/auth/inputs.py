"""The inputs of the auth domain's mutations."""

from __future__ import annotations

import strawberry

from subgraphs.auth.service import AccountDetails
from subgraphs.common.consent import ConsentPurpose


@strawberry.input(description="The account to create.")
class SignUpInput:
    """The input of signUp."""

    email: str
    password: str = strawberry.field(description="From 10 to 128 characters.")
    display_name: str = strawberry.field(description="At most 80 characters.")

    def to_details(self) -> AccountDetails:
        """Convert to the argument of the use case."""
        return AccountDetails(self.email, self.password, self.display_name)


@strawberry.input(description="The credentials of an account.")
class SignInInput:
    """The input of signIn."""

    email: str
    password: str


@strawberry.input(description="The consent to record.")
class RecordConsentInput:
    """The input of recordConsent."""

    purpose: ConsentPurpose
    policy_version: str = strawberry.field(description="The version of the policy that the parent agreed to.")
