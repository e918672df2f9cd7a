"""Checkout: write down what has to be paid in the order's own transaction; a relay pays it."""

import asyncio
import uuid

from payments import PaymentDeclined, PaymentError
from psycopg.rows import dict_row

# Payments one relay has in hand at a time.
BATCH = 10


async def place_order(pool, request):
    product_id, quantity = request["product_id"], request["quantity"]
    reference = str(uuid.uuid4())

    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "UPDATE products SET stock = stock - %s WHERE id = %s AND stock >= %s RETURNING price_cents",
            (quantity, product_id, quantity),
        )
        taken = await cur.fetchone()
        if taken is None:
            return {"status": 409, "error": "sold out"}
        amount_cents = taken[0] * quantity

        cur = await conn.execute(
            "INSERT INTO orders (reference, product_id, quantity, amount_cents, status)"
            " VALUES (%s, %s, %s, %s, 'processing') RETURNING id",
            (reference, product_id, quantity, amount_cents),
        )
        (order_id,) = await cur.fetchone()
        # The card is the gateway's token for it; a real number never reaches this service.
        await conn.execute("INSERT INTO outbox (order_id, card) VALUES (%s, %s)", (order_id, request["card"]))

    # Accepted, not paid: the client asks for the order's status or is told by mail.
    return {"status": 202, "order_id": order_id, "amount_cents": amount_cents}


async def relay(pool, payments):
    """Worker: pays what is due. Several run side by side, so that one lost answer does not hold up all."""
    await asyncio.gather(*(settle(pool, payments, payment) for payment in await claim(pool)))


async def claim(pool):
    """Takes due payments under a lease: when this process dies, they come due again."""
    async with pool.connection() as conn, conn.transaction():
        cur = conn.cursor(row_factory=dict_row)
        # SKIP LOCKED: two relays never wait for each other, nor take the same row.
        await cur.execute(
            "SELECT order_id, card FROM outbox WHERE due_at <= now()"
            " ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED",
            (BATCH,),
        )
        due = await cur.fetchall()
        if not due:
            return []
        ids = [payment["order_id"] for payment in due]
        # The lease is longer than the gateway's timeout, so nobody works on a payment twice at once.
        await conn.execute(
            "UPDATE outbox SET due_at = now() + INTERVAL '4 seconds', attempts = attempts + 1"
            " WHERE order_id = ANY(%s)",
            (ids,),
        )
        await cur.execute("SELECT id, reference, amount_cents FROM orders WHERE id = ANY(%s)", (ids,))
        orders = {order["id"]: order for order in await cur.fetchall()}
        return [{**payment, **orders[payment["order_id"]]} for payment in due]


async def settle(pool, payments, payment):
    try:
        # The key is the order's reference: after a lost answer the gateway repeats its first one
        # instead of charging again.
        charge = await payments.charge(
            amount_cents=payment["amount_cents"],
            card=payment["card"],
            reference=payment["reference"],
            idempotency_key=payment["reference"],
        )
    except PaymentDeclined:
        await cancel(pool, payment["order_id"])
    except PaymentError:
        # Nobody knows what the gateway did. The lease runs out and the same key asks again.
        return
    else:
        await finish(pool, payment["order_id"], charge)


async def finish(pool, order_id, charge):
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "UPDATE orders SET status = 'paid' WHERE id = %s AND status = 'processing'", (order_id,)
        )
        if cur.rowcount == 1:
            await conn.execute(
                "INSERT INTO payments (order_id, charge_id, amount_cents) VALUES (%s, %s, %s)",
                (order_id, charge["id"], charge["amount_cents"]),
            )
        await conn.execute("DELETE FROM outbox WHERE order_id = %s", (order_id,))


async def cancel(pool, order_id):
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "UPDATE orders SET status = 'cancelled' WHERE id = %s AND status = 'processing'"
            " RETURNING product_id, quantity",
            (order_id,),
        )
        order = await cur.fetchone()
        if order is not None:
            product_id, quantity = order
            await conn.execute("UPDATE products SET stock = stock + %s WHERE id = %s", (quantity, product_id))
        await conn.execute("DELETE FROM outbox WHERE order_id = %s", (order_id,))


async def reconcile(pool, payments):
    """Worker: asks the gateway about orders that are late, and trusts its books more than ours."""
    async with pool.connection() as conn:
        cur = await conn.execute(
            "SELECT id, reference FROM orders WHERE status = 'processing'"
            " AND created_at < now() - INTERVAL '10 seconds' ORDER BY id LIMIT 20"
        )
        late = await cur.fetchall()
    for order_id, reference in late:
        try:
            charges = await payments.lookup(reference=reference)
        except PaymentError:
            continue
        for charge in charges:
            if charge["status"] == "captured":
                await finish(pool, order_id, charge)
