"""Sessions: a short access token (JWT) and a long refresh token."""

import hashlib
import secrets
import time

import jwt

JWT_KEY = "put there by the platform when the process starts"
ACCESS_S = 2  # short: a stolen access token is soon worthless


async def login(conn, request):
    """The password has been checked. Start a session on this device."""
    refresh_token = secrets.token_urlsafe(32)
    await conn.execute(
        "INSERT INTO refresh_tokens (token_hash, user_id, expires_at) VALUES (%s, %s, now() + interval '30 days')",
        (digest(refresh_token), request["user_id"]),
    )
    return {
        "status": 200,
        "access_token": access_token(request["user_id"]),
        "refresh_token": refresh_token,
    }


async def refresh(conn, request):
    """A new access token for a valid refresh token."""
    cur = await conn.execute(
        "SELECT user_id FROM refresh_tokens WHERE token_hash = %s AND expires_at > now()",
        (digest(request["refresh_token"]),),
    )
    row = await cur.fetchone()
    if row is None:
        return {"status": 401, "error": "invalid refresh token"}
    return {
        "status": 200,
        "access_token": access_token(row[0]),
        "refresh_token": request["refresh_token"],
    }


async def orders(conn, request):
    try:
        claims = jwt.decode(request["access_token"], JWT_KEY, algorithms=["HS256"], audience="shop-api")
    except jwt.InvalidTokenError:
        return {"status": 401, "error": "invalid access token"}

    user_id = int(claims["sub"])
    await conn.execute("INSERT INTO served_calls (user_id, ip) VALUES (%s, %s)", (user_id, request["ip"]))
    return {"status": 200, "user_id": user_id, "orders": []}


def access_token(user_id):
    now = int(time.time())
    claims = {"sub": str(user_id), "aud": "shop-api", "iat": now, "exp": now + ACCESS_S}
    return jwt.encode(claims, JWT_KEY, algorithm="HS256")


def digest(token):
    return hashlib.sha256(token.encode()).hexdigest()
