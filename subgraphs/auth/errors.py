"""The errors of the auth domain."""

from __future__ import annotations

from subgraphs.common.errors import DomainError


class EmailTaken(DomainError):
    """There is an account with this address."""

    code = "EMAIL_TAKEN"

    def __init__(self) -> None:
        super().__init__("There is already an account with this e-mail address.")


class InvalidCredentials(DomainError):
    """The e-mail address or the password is wrong; which one is not revealed."""

    code = "INVALID_CREDENTIALS"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")
