"""Shop: the gateway gets a deadline, and whoever misses it is settled later."""

import asyncio
import uuid

from payments import PaymentDeclined, PaymentError

# The gateway's 95th percentile on a good day is 350 ms. Beyond this, waiting only takes the connection from others.
DEADLINE_S = 0.6


async def product(conn, request):
    cur = await conn.execute(
        "SELECT title, price_cents FROM products WHERE id = %s",
        (request["product_id"],),
    )
    row = await cur.fetchone()
    if row is None:
        return {"status": 404, "error": "no such product"}
    title, price_cents = row
    return {"status": 200, "title": title, "price_cents": price_cents}


async def checkout(conn, payments, request):
    reference = str(uuid.uuid4())

    async with conn.transaction():
        cur = await conn.execute(
            "SELECT price_cents FROM products WHERE id = %s",
            (request["product_id"],),
        )
        (amount_cents,) = await cur.fetchone()
        cur = await conn.execute(
            "INSERT INTO orders (reference, product_id, amount_cents, status)"
            " VALUES (%s, %s, %s, 'pending') RETURNING id",
            (reference, request["product_id"], amount_cents),
        )
        (order_id,) = await cur.fetchone()

        try:
            async with asyncio.timeout(DEADLINE_S):
                charge = await payments.charge(
                    amount_cents=amount_cents, card=request["card"], reference=reference, idempotency_key=reference
                )
        except PaymentDeclined:
            await close_order(conn, order_id, "declined", None)
            return {"status": 402, "error": "card declined"}
        except (TimeoutError, PaymentError):
            # Giving up is not undoing: the card may be charged any moment. The order stays pending.
            return {"status": 202, "order_id": order_id, "message": "we will confirm your order by mail"}

        await close_order(conn, order_id, "paid", charge["id"])
    return {"status": 201, "order_id": order_id, "amount_cents": amount_cents}


async def close_order(conn, order_id, status, charge_id):
    await conn.execute(
        "UPDATE orders SET status = %s, charge_id = %s WHERE id = %s AND status = 'pending'",
        (status, charge_id, order_id),
    )


async def settle_pending(pool, payments):
    """Worker: asks the gateway what became of the charges nobody waited for."""
    async with pool.connection() as conn:
        cur = await conn.execute(
            "SELECT id, reference FROM orders"
            " WHERE status = 'pending' AND created_at < now() - INTERVAL '15 seconds' ORDER BY id LIMIT 20"
        )
        pending = await cur.fetchall()
    for order_id, reference in pending:
        charges = await payments.lookup(reference=reference)
        async with pool.connection() as conn:
            if charges:
                await close_order(conn, order_id, "paid", charges[0]["id"])
            else:
                await close_order(conn, order_id, "abandoned", None)
