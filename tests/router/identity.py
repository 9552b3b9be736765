"""An identity service for tests: it signs tokens and serves its key set over HTTP."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec


class IdentityService:
    """Signing keys and their JWKS; `fetches` counts how often that was fetched."""

    def __init__(self) -> None:
        self.keys = {"first": ec.generate_private_key(ec.SECP256R1())}
        self.fetches = 0
        self.is_up = True
        self.body: bytes | None = None
        """Served instead of the key set, if set."""

    async def answer(self, _: web.Request) -> web.Response:
        self.fetches += 1
        if not self.is_up:
            return web.Response(status=500)
        if self.body is not None:
            return web.Response(body=self.body)
        serve = []
        for kid, key in self.keys.items():
            entry = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
            serve.append({**entry, "kid": kid, "use": "sig", "alg": "ES256"})
        return web.json_response({"keys": serve})

    def issue_token(self, kid: str = "first", key: Any = None, **claims: Any) -> str:
        now = int(time.time())
        payload = {"sub": "user_1", "scope": ["parent"], "iat": now, "exp": now + 60, "iss": "memorable"}
        return jwt.encode(
            {**payload, **claims}, key or self.keys[kid], algorithm="ES256", headers={"kid": kid}
        )

    def issue_brief_token(self) -> str:
        """Signs a token that is accepted for one to two more seconds; the leeway is five."""
        return self.issue_token(exp=int(time.time()) - 3)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serves the key set; yields its address."""
        app = web.Application()
        app.router.add_get("/jwks.json", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        try:
            yield f"http://{host}:{port}/jwks.json"
        finally:
            await runner.cleanup()
