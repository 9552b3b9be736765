"""Signing up and signing in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.subgraphs.auth.conftest import PASSWORD

SIGN_IN = """
mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
    __typename
    ... on SignedIn { user { id } tokens { accessToken } }
    ... on InvalidCredentials { message }
  }
}
"""


def build_details(**changes: str) -> dict[str, Any]:
    return {
        "input": {
            "email": f"{uuid4().hex}@example.org",
            "password": PASSWORD,
            "displayName": "Ana",
            **changes,
        }
    }
