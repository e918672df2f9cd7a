"""Checkout: a cart becomes at most one order. The order is written before the card is charged."""

from payments import IdempotencyConflict, PaymentDeclined


async def pay(pool, payments, request):
    cart_id = request["cart_id"]

    order = await open_order(pool, cart_id)
    if order is None:
        return {"status": 404, "error": "no such cart"}
    if order["status"] == "paid":
        return {"status": 200, "order_id": order["id"], "amount_cents": order["amount_cents"]}

    # Two clicks may both come here, with the same order. The gateway sees one key and charges once.
    key = f"order-{order['id']}"
    try:
        charge = await payments.charge(
            amount_cents=order["amount_cents"], card=request["card"], reference=f"cart-{cart_id}", idempotency_key=key
        )
    except IdempotencyConflict:
        # The first click's charge is on its way; it will confirm the order.
        return {"status": 202, "order_id": order["id"], "message": "your payment is being made"}
    except PaymentDeclined:
        # The order goes, so that the customer can come back with another card and a new key.
        await drop_order(pool, order["id"])
        return {"status": 402, "error": "card declined"}

    await confirm(pool, cart_id, order["id"], charge["id"])
    return {"status": 201, "order_id": order["id"], "amount_cents": order["amount_cents"]}


async def open_order(pool, cart_id):
    """The cart's order, new or not. The unique index lets one insert through; all others find its row."""
    async with pool.connection() as conn, conn.transaction():
        await conn.execute(
            "INSERT INTO orders (cart_id, amount_cents, status)"
            " SELECT id, amount_cents, 'pending' FROM carts WHERE id = %s"
            " ON CONFLICT (cart_id) DO NOTHING",
            (cart_id,),
        )
        cur = await conn.execute(
            "SELECT id, amount_cents, status FROM orders WHERE cart_id = %s",
            (cart_id,),
        )
        row = await cur.fetchone()
    if row is None:
        return None
    order_id, amount_cents, status = row
    return {"id": order_id, "amount_cents": amount_cents, "status": status}


async def confirm(pool, cart_id, order_id, charge_id):
    async with pool.connection() as conn, conn.transaction():
        await conn.execute(
            "UPDATE orders SET status = 'paid', charge_id = %s WHERE id = %s AND status = 'pending'",
            (charge_id, order_id),
        )
        await conn.execute("UPDATE carts SET status = 'paid' WHERE id = %s", (cart_id,))


async def drop_order(pool, order_id):
    async with pool.connection() as conn:
        await conn.execute("DELETE FROM orders WHERE id = %s AND status = 'pending'", (order_id,))
