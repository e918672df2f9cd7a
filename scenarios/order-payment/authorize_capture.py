"""Checkout: hold the money, book everything in one transaction, then take the money."""

import uuid
from contextlib import suppress

from payments import PaymentDeclined, PaymentError


async def place_order(pool, payments, request):
    quantity = request["quantity"]
    price_cents = await read_price(pool, request["product_id"])
    if price_cents is None:
        return {"status": 404, "error": "no such product"}
    amount_cents = price_cents * quantity
    reference = str(uuid.uuid4())

    # A hold takes no money. If this process dies on any of the next lines, the hold lapses by itself.
    # No connection is held while the gateway thinks.
    try:
        hold = await payments.authorize(
            amount_cents=amount_cents, card=request["card"], reference=reference, idempotency_key=reference
        )
    except PaymentDeclined:
        return {"status": 402, "error": "card declined"}
    except PaymentError:
        return {"status": 503, "error": "the payment service does not answer, nothing was charged"}

    order_id = await book(pool, request, reference, hold)
    if order_id is None:
        with suppress(PaymentError):
            await payments.void(charge_id=hold["id"])
        return {"status": 409, "error": "sold out"}

    # From here on the order stands. When taking the money fails now, collect_authorized does it later.
    with suppress(PaymentError):
        await collect(pool, payments, order_id, hold["id"])
    return {"status": 201, "order_id": order_id, "amount_cents": amount_cents}


async def read_price(pool, product_id):
    async with pool.connection() as conn:
        cur = await conn.execute("SELECT price_cents FROM products WHERE id = %s", (product_id,))
        row = await cur.fetchone()
        return row and row[0]


async def book(pool, request, reference, hold):
    """Stock, order and payment in one transaction. None when there is too little stock."""
    product_id, quantity = request["product_id"], request["quantity"]
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "UPDATE products SET stock = stock - %s WHERE id = %s AND stock >= %s",
            (quantity, product_id, quantity),
        )
        if cur.rowcount == 0:
            return None
        cur = await conn.execute(
            "INSERT INTO orders (reference, product_id, quantity, amount_cents, status)"
            " VALUES (%s, %s, %s, %s, 'authorized') RETURNING id",
            (reference, product_id, quantity, hold["amount_cents"]),
        )
        (order_id,) = await cur.fetchone()
        await conn.execute(
            "INSERT INTO payments (order_id, charge_id, amount_cents) VALUES (%s, %s, %s)",
            (order_id, hold["id"], hold["amount_cents"]),
        )
    return order_id


async def collect(pool, payments, order_id, charge_id):
    """Takes the money that is on hold. Safe to call again: the key makes a second capture the first one's echo."""
    try:
        await payments.capture(charge_id=charge_id, idempotency_key=f"capture-{charge_id}")
    except PaymentDeclined:
        await cancel(pool, order_id)
        return
    async with pool.connection() as conn:
        await conn.execute("UPDATE orders SET status = 'paid' WHERE id = %s AND status = 'authorized'", (order_id,))


async def cancel(pool, order_id):
    """The hold had lapsed: the stock goes back."""
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "UPDATE orders SET status = 'cancelled' WHERE id = %s AND status = 'authorized'"
            " RETURNING product_id, quantity",
            (order_id,),
        )
        order = await cur.fetchone()
        if order is not None:
            product_id, quantity = order
            await conn.execute("UPDATE products SET stock = stock + %s WHERE id = %s", (quantity, product_id))


async def collect_authorized(pool, payments):
    """Worker: finishes orders whose request died between booking and capture."""
    async with pool.connection() as conn:
        cur = await conn.execute(
            "SELECT o.id, p.charge_id FROM orders o JOIN payments p ON p.order_id = o.id"
            " WHERE o.status = 'authorized' AND o.created_at < now() - INTERVAL '4 seconds'"
            " ORDER BY o.id LIMIT 20"
        )
        left_over = await cur.fetchall()
    for order_id, charge_id in left_over:
        with suppress(PaymentError):
            await collect(pool, payments, order_id, charge_id)
