"""Checkout: each step has one that undoes it, and a worker that undoes what a dead request left behind."""

import uuid
from contextlib import suppress

from payments import PaymentDeclined, PaymentError


async def place_order(pool, payments, request):
    order = await reserve(pool, request)
    if order is None:
        return {"status": 409, "error": "sold out"}

    try:
        charge = await payments.charge(
            amount_cents=order["amount_cents"],
            card=request["card"],
            reference=order["reference"],
            idempotency_key=order["reference"],
        )
    except PaymentDeclined:
        await cancel(pool, order["id"])
        return {"status": 402, "error": "card declined"}
    except PaymentError:
        # The card may have been charged or not. recover finds out and gives the money back.
        return {"status": 503, "error": "the payment service does not answer, you will not be charged"}

    if not await confirm(pool, order["id"], charge):
        # This request was so slow that recover has given the order up: undo the step it could not see.
        await refund(payments, charge)
        return {"status": 503, "error": "the order took too long, you will not be charged"}
    return {"status": 201, "order_id": order["id"], "amount_cents": order["amount_cents"]}


async def reserve(pool, request):
    """Step 1: stock and order in one transaction, before any money moves. None when sold out."""
    product_id, quantity = request["product_id"], request["quantity"]
    reference = str(uuid.uuid4())
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "UPDATE products SET stock = stock - %s WHERE id = %s AND stock >= %s RETURNING price_cents",
            (quantity, product_id, quantity),
        )
        taken = await cur.fetchone()
        if taken is None:
            return None
        amount_cents = taken[0] * quantity
        cur = await conn.execute(
            "INSERT INTO orders (reference, product_id, quantity, amount_cents, status)"
            " VALUES (%s, %s, %s, %s, 'processing') RETURNING id",
            (reference, product_id, quantity, amount_cents),
        )
        (order_id,) = await cur.fetchone()
    return {"id": order_id, "reference": reference, "amount_cents": amount_cents}


async def confirm(pool, order_id, charge):
    """Step 3. False when the order is no longer ours to confirm."""
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "UPDATE orders SET status = 'paid' WHERE id = %s AND status = 'processing'", (order_id,)
        )
        if cur.rowcount == 0:
            return False
        await conn.execute(
            "INSERT INTO payments (order_id, charge_id, amount_cents) VALUES (%s, %s, %s)",
            (order_id, charge["id"], charge["amount_cents"]),
        )
        return True


async def cancel(pool, order_id):
    """Undoes step 1. The status in the WHERE clause lets only one canceller put the stock back."""
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "UPDATE orders SET status = 'cancelled' WHERE id = %s AND status IN ('processing', 'cancelling')"
            " RETURNING product_id, quantity",
            (order_id,),
        )
        order = await cur.fetchone()
        if order is not None:
            product_id, quantity = order
            await conn.execute("UPDATE products SET stock = stock + %s WHERE id = %s", (quantity, product_id))


async def refund(payments, charge):
    """Undoes step 2. The key makes a repeated refund the first one's echo."""
    await payments.refund(charge_id=charge["id"], idempotency_key=f"refund-{charge['id']}")


async def recover(pool, payments):
    """Worker: undoes orders whose request died or never heard from the gateway."""
    async with pool.connection() as conn:
        # Older than any gateway timeout: what is not in the gateway's books by now will not come.
        # `cancelling` ones are taken again, since this worker may have died itself.
        cur = await conn.execute(
            "UPDATE orders SET status = 'cancelling'"
            " WHERE status IN ('processing', 'cancelling') AND created_at < now() - INTERVAL '5 seconds'"
            " RETURNING id, reference"
        )
        abandoned = await cur.fetchall()
    for order_id, reference in abandoned:
        # An order whose refund fails stays `cancelling` and is tried again.
        with suppress(PaymentError):
            for charge in await payments.lookup(reference=reference):
                if charge["status"] == "captured":
                    await refund(payments, charge)
            await cancel(pool, order_id)
