"""Sessions: the refresh token is of use only together with the key of the device it was given to."""

import hashlib
import secrets
import time

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

JWT_KEY = "put there by the platform when the process starts"
ACCESS_S = 2


async def login(conn, request):
    refresh_token = secrets.token_urlsafe(32)
    await conn.execute(
        "INSERT INTO refresh_tokens (token_hash, user_id, device_key, expires_at)"
        " VALUES (%s, %s, %s, now() + interval '30 days')",
        (digest(refresh_token), request["user_id"], request["device_key"]),
    )
    return {"status": 200, "access_token": access_token(request["user_id"]), "refresh_token": refresh_token}


async def refresh(conn, request):
    cur = await conn.execute(
        "SELECT user_id, device_key FROM refresh_tokens WHERE token_hash = %s AND expires_at > now()",
        (digest(request["refresh_token"]),),
    )
    row = await cur.fetchone()
    if row is None or not proves_possession(request["proof"], row[1], request["refresh_token"]):
        return {"status": 401, "error": "invalid refresh token"}
    return {
        "status": 200,
        "access_token": access_token(row[0]),
        "refresh_token": request["refresh_token"],
    }


def proves_possession(proof, device_key, refresh_token):
    """The device signed this very token. A full DPoP proof also carries time, method, address and a nonce (RFC 9449)."""
    if device_key is None:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(device_key))
        claims = jwt.decode(proof, key, algorithms=["EdDSA"])
    except (jwt.InvalidTokenError, ValueError):
        return False
    return claims.get("refresh_token") == refresh_token


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
