"""Shop: product pages and checkout."""

import uuid

from payments import PaymentDeclined


async def product(conn, request):
    """The page of one product."""
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
    """Create the order and charge the card: both or neither."""
    reference = str(uuid.uuid4())

    # When the charge fails, the exception rolls the order back.
    try:
        async with conn.transaction():
            cur = await conn.execute(
                "SELECT price_cents FROM products WHERE id = %s",
                (request["product_id"],),
            )
            (amount_cents,) = await cur.fetchone()
            cur = await conn.execute(
                "INSERT INTO orders (reference, product_id, amount_cents, status)"
                " VALUES (%s, %s, %s, 'paid') RETURNING id",
                (reference, request["product_id"], amount_cents),
            )
            (order_id,) = await cur.fetchone()

            charge = await payments.charge(
                amount_cents=amount_cents, card=request["card"], reference=reference, idempotency_key=reference
            )
            await conn.execute(
                "UPDATE orders SET charge_id = %s WHERE id = %s",
                (charge["id"], order_id),
            )
    except PaymentDeclined:
        return {"status": 402, "error": "card declined"}

    return {"status": 201, "order_id": order_id, "amount_cents": amount_cents}
