"""Checkout: the client names its intent with a key; the first request works, all others get its answer."""

import asyncio
import hashlib
import json

from payments import PaymentDeclined

LOOKS = 40
LOOK_EVERY_S = 0.1


async def pay(pool, payments, request):
    key = request["idempotency_key"]
    fingerprint = fingerprint_of(request)

    for _ in range(LOOKS):
        if await claim(pool, key, fingerprint):
            status, body = await pay_once(pool, payments, request, key)
            await remember(pool, key, status, body)
            return {"status": status, **body}

        stored = await look_up(pool, key)
        if stored["fingerprint"] != fingerprint:
            return {"status": 422, "error": "this idempotency key belongs to another request"}
        if stored["status"] is not None:
            return {"status": stored["status"], **json.loads(stored["response"])}
        # The first one is on its way. Its answer is this one's answer too.
        await asyncio.sleep(LOOK_EVERY_S)
    return {"status": 409, "error": "the first request with this key is still running", "retry_after_s": 5}


def fingerprint_of(request):
    meaning = {"cart_id": request["cart_id"], "card": request["card"]}
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


async def claim(pool, key, fingerprint):
    """True for exactly one of all requests with this key: the primary key lets one insert through.

    A request that has been running for half a minute is presumed dead, and its key is taken over.
    """
    async with pool.connection() as conn:
        cur = await conn.execute(
            "INSERT INTO idempotency_keys (key, fingerprint) VALUES (%s, %s)"
            " ON CONFLICT (key) DO UPDATE SET started_at = now()"
            " WHERE idempotency_keys.status IS NULL"
            " AND idempotency_keys.fingerprint = EXCLUDED.fingerprint"
            " AND idempotency_keys.started_at < now() - INTERVAL '30 seconds'",
            (key, fingerprint),
        )
        return cur.rowcount == 1


async def look_up(pool, key):
    async with pool.connection() as conn:
        cur = await conn.execute(
            "SELECT fingerprint, status, response FROM idempotency_keys WHERE key = %s",
            (key,),
        )
        fingerprint, status, response = await cur.fetchone()
    return {"fingerprint": fingerprint, "status": status, "response": response}


async def remember(pool, key, status, body):
    async with pool.connection() as conn:
        await conn.execute(
            "UPDATE idempotency_keys SET status = %s, response = %s WHERE key = %s",
            (status, json.dumps(body), key),
        )


async def pay_once(pool, payments, request, key):
    cart_id = request["cart_id"]
    async with pool.connection() as conn:
        cur = await conn.execute("SELECT amount_cents, status FROM carts WHERE id = %s", (cart_id,))
        cart = await cur.fetchone()
    if cart is None:
        return 404, {"error": "no such cart"}
    amount_cents, status = cart
    if status == "paid":
        return 200, {"message": "this cart is already paid"}

    # The gateway gets the key as well: whoever takes over after a crash cannot charge again.
    try:
        charge = await payments.charge(
            amount_cents=amount_cents, card=request["card"], reference=f"cart-{cart_id}", idempotency_key=key
        )
    except PaymentDeclined:
        return 402, {"error": "card declined"}

    async with pool.connection() as conn, conn.transaction():
        await conn.execute("UPDATE carts SET status = 'paid' WHERE id = %s", (cart_id,))
        cur = await conn.execute(
            "INSERT INTO orders (cart_id, amount_cents, charge_id) VALUES (%s, %s, %s) RETURNING id",
            (cart_id, amount_cents, charge["id"]),
        )
        (order_id,) = await cur.fetchone()
    return 201, {"order_id": order_id, "amount_cents": amount_cents}
