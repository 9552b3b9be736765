"""Passwords and sign-in: what each guess costs, and how many one request may bring."""

from __future__ import annotations

from tests.fuzz.arena import Arena
from tests.fuzz.attacks import attack
from tests.fuzz.parent import MARKER

TARGETS = ("router", "auth")
SIGN_IN = "mutation ($e: String!, $p: String!) { signIn(input: {email: $e, password: $p}) { __typename } }"
SIGN_UP = """mutation ($e: String!, $p: String!, $n: String!) {
  signUp(input: {email: $e, password: $p, displayName: $n}) { __typename }
}"""


@attack("passwords.guesses-in-one-request", TARGETS)
async def guesses_in_one_request(arena: Arena) -> None:
    guesses = " ".join(
        f'a{n}: signIn(input: {{email: "{arena.parent.email}", password: "{MARKER}{n}"}}) {{ __typename }}'
        for n in range(30)
    )
    await arena.ask(f"mutation {{ {guesses} }}", signed_in=False)


@attack("passwords.guesses-at-one-time", TARGETS, burst=True)
async def guesses_at_one_time(arena: Arena) -> None:
    """Thirty in flight, while another client reads."""
    await arena.together(
        (
            arena.ask(SIGN_IN, {"e": arena.parent.email, "p": f"{MARKER}{n}"}, signed_in=False)
            for n in range(30)
        ),
        at_once=30,
    )


@attack("passwords.texts", TARGETS)
async def texts(arena: Arena) -> None:
    """Lengths and letters before anything costly reads them."""
    half = 32_000
    for text in (
        "a" + "\u0301" * half + "\u0327" * half,
        "x" * 1_000_000,
        "\ufdfa" * half,
        "a@" + "b." * 200_000 + "c",
        "\x00" * 20,
        "\u202e" * 40,
        f"{MARKER}\x1b[31m@example.com",
        "\uff46\uff4f\uff58" * 4_000,
    ):
        await arena.ask(SIGN_IN, {"e": text, "p": MARKER * 2}, signed_in=False)
        await arena.ask(SIGN_IN, {"e": arena.parent.email, "p": text}, signed_in=False)
        await arena.ask(SIGN_UP, {"e": text, "p": MARKER * 2, "n": "Ada"}, signed_in=False)
        await arena.ask(
            SIGN_UP, {"e": f"{arena.salt()}@example.com", "p": MARKER * 2, "n": text}, signed_in=False
        )


@attack("passwords.refused-with-their-values", TARGETS)
async def refused_with_their_values(arena: Arena) -> None:
    """Documents that fail in different ways with a password in them, which no log may tell."""
    account = f'email: "{MARKER}@example.com", password: "{MARKER}"'
    child = f'name: "{MARKER}", birthMonth: "{MARKER}", pronouns: SHE, appearance: "{MARKER}"'
    for field in (
        f"signIn(input: {{{account}}}) {{ nothing }}",
        f"signIn(input: {{{account}, more: {MARKER}}}) {{ __typename }}",
        f"signIn(input: {{{account}}}) {{ __typename ",
        f'signUp(input: {{{account}, displayName: "{MARKER}\\u0000"}}) {{ __typename }}',
        f'refresh(refreshToken: "{MARKER}\\u0000") {{ __typename }}',
        f'refresh(refreshToken: "{MARKER}") {{ __typename }}',
        f'createChild(input: {{{child}, interests: ["{MARKER}"]}}) {{ __typename }}',
    ):
        await arena.ask(f"mutation {{ {field} }}")
