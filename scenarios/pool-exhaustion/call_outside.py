"""Shop: no connection is held while the payment gateway thinks."""

import uuid

from payments import PaymentDeclined


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


async def checkout(pool, payments, request):
    reference = str(uuid.uuid4())

    # 1. The order is written down before any money moves, and the connection goes back.
    order_id, amount_cents = await open_order(pool, request["product_id"], reference)

    # 2. The slow part. It may take seconds; it occupies nothing but this coroutine.
    try:
        charge = await payments.charge(
            amount_cents=amount_cents, card=request["card"], reference=reference, idempotency_key=reference
        )
    except PaymentDeclined:
        await close_order(pool, order_id, "declined", None)
        return {"status": 402, "error": "card declined"}

    # 3. The outcome. A crash before this line leaves a pending order: settle_pending asks the gateway.
    await close_order(pool, order_id, "paid", charge["id"])
    return {"status": 201, "order_id": order_id, "amount_cents": amount_cents}


async def open_order(pool, product_id, reference):
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "INSERT INTO orders (reference, product_id, amount_cents, status)"
            " SELECT %s, id, price_cents, 'pending' FROM products WHERE id = %s"
            " RETURNING id, amount_cents",
            (reference, product_id),
        )
        return await cur.fetchone()


async def close_order(pool, order_id, status, charge_id):
    async with pool.connection() as conn:
        await conn.execute(
            "UPDATE orders SET status = %s, charge_id = %s WHERE id = %s AND status = 'pending'",
            (status, charge_id, order_id),
        )


async def settle_pending(pool, payments):
    """Worker: orders whose request ended without an outcome."""
    async with pool.connection() as conn:
        cur = await conn.execute(
            "SELECT id, reference FROM orders"
            " WHERE status = 'pending' AND created_at < now() - INTERVAL '30 seconds' ORDER BY id LIMIT 20"
        )
        pending = await cur.fetchall()
    for order_id, reference in pending:
        charges = await payments.lookup(reference=reference)
        if charges:
            await close_order(pool, order_id, "paid", charges[0]["id"])
        else:
            await close_order(pool, order_id, "abandoned", None)
