"""Attacks on the signed URLs of pictures and print files."""

from __future__ import annotations

from tests.fuzz.context import AttackContext
from tests.fuzz.raw_client import CLOSE_CONNECTION, build_request
from tests.fuzz.registry import attack

KEYS = (
    "a.png",
    "../secrets/signing.pem",
    "..%2f..%2fsecrets%2fsigning.pem",
    "%2e%2e/%2e%2e/etc/passwd",
    "/etc/passwd",
    "a%00.png",
    "%ff%fe",
    "%ed%a0%80",
    "a" * 5_000,
    "a/" * 2_000,
    "",
    ".",
    "%E2%80%AE.png",
)
TIMES = (
    "",
    "0",
    "-1",
    "9" * 30,
    "9" * 5_000,
    "1e400",
    "nan",
    "٣",
    "1_000",
    "0x10",
    "253402300800",
    "99999999999999999",
)


@attack("files.unsigned", ["books"], may_close=True)
async def unsigned(context: AttackContext) -> None:
    for key in KEYS:
        for expires in (context.random.choice(TIMES), "4102444800"):
            for signature in ("", "0" * 64, "é", "%00", "A" * 3_000):
                query = f"expires={expires}&signature={signature}"
                answer = await context.send(build_request("GET", f"/files/{key}?{query}", [CLOSE_CONNECTION]))
                if answer.status == 200:
                    context.report(f"{key[:60]} was served without a signature")


@attack("files.expiries", ["books"])
async def expiries(context: AttackContext) -> None:
    for expires in TIMES:
        path = f"/files/a.png?expires={expires}&signature=" + "0" * 64
        for more in ("", "&expires=1", "&signature=1" * 900):
            await context.send(
                build_request("GET", path.encode().decode("latin-1") + more, [CLOSE_CONNECTION])
            )


@attack("files.altered", ["books"])
async def altered(context: AttackContext) -> None:
    """Alterations of a valid signed URL."""
    valid = context.target.sign_path("a/b.png")
    path, _, query = valid.partition("?")
    await context.send(build_request("GET", valid, [CLOSE_CONNECTION]))
    for other in (
        f"{path}x?{query}",
        f"{path}%2f..?{query}",
        f"/files/a%2Fb.png?{query}",
        f"/files/./a/b.png?{query}",
        f"/files/a//b.png?{query}",
        f"{path}?{query.replace('expires=', 'expires=0')}",
        f"{path}?{query.replace('expires=', 'expires=%2B')}",
        f"{path}?{query}&expires=9999999999",
        f"{path}?{query.upper()}",
        f"{path}?{query[:-1]}",
    ):
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            await context.send(
                build_request(method, other, [CLOSE_CONNECTION, ("range", "bytes=0-0,1-1,-9")]), within=10
            )
