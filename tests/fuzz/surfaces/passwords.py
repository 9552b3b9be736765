"""Attacks on passwords and sign-in: guesses, hostile strings, and secrets in rejected documents."""

from __future__ import annotations

from tests.fuzz.context import AttackContext
from tests.fuzz.parent import MARKER
from tests.fuzz.registry import attack

TARGETS = ("router", "auth")
SIGN_IN = "mutation ($e: String!, $p: String!) { signIn(input: {email: $e, password: $p}) { __typename } }"
SIGN_UP = """mutation ($e: String!, $p: String!, $n: String!) {
  signUp(input: {email: $e, password: $p, displayName: $n}) { __typename }
}"""


@attack("passwords.guesses-in-one-request", TARGETS)
async def guesses_in_one_request(context: AttackContext) -> None:
    guesses = " ".join(
        f'a{n}: signIn(input: {{email: "{context.parent.email}", password: "{MARKER}{n}"}}) {{ __typename }}'
        for n in range(30)
    )
    await context.execute(f"mutation {{ {guesses} }}", signed_in=False)


@attack("passwords.concurrent-guesses", TARGETS, burst=True)
async def concurrent_guesses(context: AttackContext) -> None:
    """Thirty concurrent guesses."""
    await context.run_concurrently(
        (
            context.execute(SIGN_IN, {"e": context.parent.email, "p": f"{MARKER}{n}"}, signed_in=False)
            for n in range(30)
        ),
        limit=30,
    )


@attack("passwords.strings", TARGETS)
async def texts(context: AttackContext) -> None:
    """Long and hostile strings, which must be rejected before expensive processing."""
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
        await context.execute(SIGN_IN, {"e": text, "p": MARKER * 2}, signed_in=False)
        await context.execute(SIGN_IN, {"e": context.parent.email, "p": text}, signed_in=False)
        await context.execute(SIGN_UP, {"e": text, "p": MARKER * 2, "n": "Ada"}, signed_in=False)
        await context.execute(
            SIGN_UP,
            {"e": f"{context.generate_name()}@example.com", "p": MARKER * 2, "n": text},
            signed_in=False,
        )


@attack("passwords.in-rejected-documents", TARGETS)
async def in_rejected_documents(context: AttackContext) -> None:
    """Invalid documents that contain a password, which must not be logged."""
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
        await context.execute(f"mutation {{ {field} }}")
