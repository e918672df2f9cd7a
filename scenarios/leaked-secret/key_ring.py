"""Accounts API: the keys live in the secrets manager, tokens name theirs, and old ones are honoured until they are revoked."""

import time

import jwt

TOKEN_HOURS = 12
# How long a process works with what the vault said last: the time a revoked key still has.
RING_S = 1.0


class KeyRing:
    """The versions of the signing key that count now."""

    def __init__(self):
        self.keys = {}
        self.current = None
        self.good_until = 0

    async def refreshed(self, vault):
        if time.monotonic() >= self.good_until:
            secret = await vault.get_secret("token-signing")
            self.keys = {str(version["version"]): version["value"] for version in secret["versions"]}
            self.current = str(secret["versions"][0]["version"])
            self.good_until = time.monotonic() + RING_S
        return self


_ring = KeyRing()


async def login(vault, request):
    ring = await _ring.refreshed(vault)
    now = int(time.time())
    claims = {"sub": str(request["user_id"]), "aud": "shop-api", "iat": now, "exp": now + TOKEN_HOURS * 3600}
    token = jwt.encode(claims, ring.keys[ring.current], algorithm="HS256", headers={"kid": ring.current})
    return {"status": 200, "token": token}


async def profile(conn, vault, request):
    ring = await _ring.refreshed(vault)
    try:
        key = ring.keys.get(jwt.get_unverified_header(request["token"]).get("kid"))
        if key is None:
            return {"status": 401, "error": "invalid token"}
        claims = jwt.decode(request["token"], key, algorithms=["HS256"], audience="shop-api")
    except jwt.InvalidTokenError:
        return {"status": 401, "error": "invalid token"}

    user_id = int(claims["sub"])
    await conn.execute("INSERT INTO served_calls (user_id, ip) VALUES (%s, %s)", (user_id, request["ip"]))
    return {"status": 200, "user_id": user_id}


async def open_incident(conn, request):
    await conn.execute("INSERT INTO incidents (what) VALUES (%s)", (request["what"],))
    return {"status": 201}
