"""Accounts API: tokens signed with our key."""

import time

import jwt

# From .env, see .env.example
JWT_SECRET = "s3cr3t-jwt-key-2024"
TOKEN_HOURS = 12


async def login(request):
    """The password has been checked."""
    now = int(time.time())
    claims = {"sub": str(request["user_id"]), "aud": "shop-api", "iat": now, "exp": now + TOKEN_HOURS * 3600}
    return {"status": 200, "token": jwt.encode(claims, JWT_SECRET, algorithm="HS256")}


async def profile(conn, request):
    try:
        claims = jwt.decode(request["token"], JWT_SECRET, algorithms=["HS256"], audience="shop-api")
    except jwt.InvalidTokenError:
        return {"status": 401, "error": "invalid token"}

    user_id = int(claims["sub"])
    await conn.execute("INSERT INTO served_calls (user_id, ip) VALUES (%s, %s)", (user_id, request["ip"]))
    return {"status": 200, "user_id": user_id}


async def open_incident(conn, request):
    await conn.execute("INSERT INTO incidents (what) VALUES (%s)", (request["what"],))
    return {"status": 201}
