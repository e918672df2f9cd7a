"""Orders API: a library verifies, and everything about the token that can be fixed is fixed here and not in the token."""

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROVIDER_KEY = Ed25519PublicKey.from_public_bytes(
    bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
)


def verify(token):
    return jwt.decode(
        token,
        PROVIDER_KEY,
        algorithms=["EdDSA"],  # what the header says is a claim like any other
        audience="shop-api",
        issuer="https://login.example",
        options={"require": ["exp", "iat", "sub"]},
    )


async def orders(conn, request):
    try:
        claims = verify(request["token"])
    except jwt.InvalidTokenError:
        # Which check failed is for the log, not for the caller.
        return {"status": 401, "error": "invalid token"}

    customer_id = int(claims["sub"])
    cur = await conn.execute("SELECT id, amount_cents FROM orders WHERE customer_id = %s", (customer_id,))
    rows = await cur.fetchall()
    await conn.execute("INSERT INTO served_calls (customer_id, ip) VALUES (%s, %s)", (customer_id, request["ip"]))
    return {"status": 200, "orders": [{"id": row[0], "amount_cents": row[1]} for row in rows]}
