"""Sessions: a refresh token works once. One that comes a second time was copied, and ends the session it belongs to."""

import hashlib
import logging
import secrets
import time
import uuid

import jwt

log = logging.getLogger("sessions")

JWT_KEY = "put there by the platform when the process starts"
ACCESS_S = 2


async def login(conn, request):
    family = str(uuid.uuid4())
    async with conn.transaction():
        await conn.execute(
            "INSERT INTO token_families (id, user_id) VALUES (%s, %s)", (family, request["user_id"])
        )
        refresh_token = await new_refresh_token(conn, request["user_id"], family)
    return {"status": 200, "access_token": access_token(request["user_id"]), "refresh_token": refresh_token}


async def refresh(conn, request):
    token_hash = digest(request["refresh_token"])

    async with conn.transaction():
        # Whoever gets here first with this token marks it. A second one waits for that and then finds it marked.
        cur = await conn.execute(
            "UPDATE refresh_tokens SET used_at = now()"
            " WHERE token_hash = %s AND used_at IS NULL AND expires_at > now()"
            " RETURNING user_id, family",
            (token_hash,),
        )
        row = await cur.fetchone()
        if row is not None:
            user_id, family = row
            cur = await conn.execute("SELECT 1 FROM token_families WHERE id = %s AND revoked_at IS NULL", (family,))
            if await cur.fetchone() is not None:
                refresh_token = await new_refresh_token(conn, user_id, family)
                return {"status": 200, "access_token": access_token(user_id), "refresh_token": refresh_token}

    if row is None:
        await revoke_if_reused(conn, token_hash)
    return {"status": 401, "error": "invalid refresh token"}


async def revoke_if_reused(conn, token_hash):
    """Two parties hold the same token. Nobody can tell which is the thief, so both are out."""
    cur = await conn.execute(
        "UPDATE token_families SET revoked_at = now()"
        " WHERE id = (SELECT family FROM refresh_tokens WHERE token_hash = %s AND used_at IS NOT NULL)"
        " AND revoked_at IS NULL RETURNING user_id",
        (token_hash,),
    )
    row = await cur.fetchone()
    if row is not None:
        log.warning("refresh token of user %d was used twice, the session is revoked", row[0])


async def new_refresh_token(conn, user_id, family):
    token = secrets.token_urlsafe(32)
    await conn.execute(
        "INSERT INTO refresh_tokens (token_hash, user_id, family, expires_at)"
        " VALUES (%s, %s, %s, now() + interval '30 days')",
        (digest(token), user_id, family),
    )
    return token


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
