"""The results of the auth domain's mutations."""

from __future__ import annotations

from typing import Annotated, Self

import strawberry

from subgraphs.auth import service
from subgraphs.auth.tokens import ACCESS_LIFETIME
from subgraphs.auth.types import User


@strawberry.type(description="The tokens of a session.")
class Tokens:
    """An access token and its refresh token."""

    access_token: str = strawberry.field(description="A JWT, for the header `Authorization: Bearer …`.")
    refresh_token: str = strawberry.field(description="Valid once, for the mutation `refresh`.")
    expires_in: int = strawberry.field(description="Seconds until the access token expires.")
    token_type: str

    @classmethod
    def of(cls, signed_in: service.SignedIn) -> Self:
        """Convert the tokens of a sign-in."""
        return cls(
            access_token=signed_in.access_token,
            refresh_token=signed_in.refresh_token,
            expires_in=int(ACCESS_LIFETIME.total_seconds()),
            token_type="Bearer",  # noqa: S106 - the scheme's name
        )


@strawberry.type(description="The user is signed in.")
class SignedIn:
    """A result of signUp, signIn and refresh."""

    user: User
    tokens: Tokens

    @classmethod
    def of(cls, signed_in: service.SignedIn) -> Self:
        """Convert a sign-in."""
        return cls(user=User.of(signed_in.user), tokens=Tokens.of(signed_in))


@strawberry.type(description="There is already an account with this e-mail address.")
class EmailTaken:
    """A result of signUp."""

    message: str


@strawberry.type(description="The e-mail address or the password is wrong.")
class InvalidCredentials:
    """A result of signIn."""

    message: str


@strawberry.type(description="The refresh token is invalid or has expired: sign in again.")
class SessionExpired:
    """A result of refresh."""

    message: str


SignUpResult = Annotated[SignedIn | EmailTaken, strawberry.union("SignUpResult")]
SignInResult = Annotated[SignedIn | InvalidCredentials, strawberry.union("SignInResult")]
RefreshResult = Annotated[SignedIn | SessionExpired, strawberry.union("RefreshResult")]
