"""An identity service for tests: it signs tokens, and publishes its keys at a real address."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec


class IdentityService:
    """A JWKS address that counts how often it is asked."""

    def __init__(self) -> None:
        self.keys = {"first": ec.generate_private_key(ec.SECP256R1())}
        self.fetches = 0
        self.up = True
        self.body: bytes | None = None
        """What is published instead of the keys."""

    async def jwks(self, _: web.Request) -> web.Response:
        self.fetches += 1
        if not self.up:
            return web.Response(status=500)
        if self.body is not None:
            return web.Response(body=self.body)
        published = []
        for kid, key in self.keys.items():
            entry = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
            published.append({**entry, "kid": kid, "use": "sig", "alg": "ES256"})
        return web.json_response({"keys": published})

    def token(self, kid: str = "first", key: Any = None, **claims: Any) -> str:
        now = int(time.time())
        payload = {"sub": "user_1", "scope": ["parent"], "iat": now, "exp": now + 60, "iss": "memorable"}
        return jwt.encode(
            {**payload, **claims}, key or self.keys[kid], algorithm="ES256", headers={"kid": kid}
        )

    def brief_token(self) -> str:
        """A token that is taken for one to two seconds more, as clocks may differ by five."""
        return self.token(exp=int(time.time()) - 3)

    @asynccontextmanager
    async def published(self) -> AsyncIterator[str]:
        """Serves the key set; yields its address."""
        app = web.Application()
        app.router.add_get("/jwks.json", self.jwks)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        try:
            yield f"http://{host}:{port}/jwks.json"
        finally:
            await runner.cleanup()
