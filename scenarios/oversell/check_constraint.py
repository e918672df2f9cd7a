"""Flash sale: subtract in the database and let the CHECK constraint refuse what would go below zero."""

from psycopg.errors import CheckViolation


async def buy(conn, request):
    product_id = request["product_id"]
    quantity = request["quantity"]

    try:
        async with conn.transaction():
            # `stock - quantity` is computed from the newest committed row, never from what we read
            # earlier. That is what gives stock_not_negative something to refuse.
            cur = await conn.execute(
                "UPDATE products SET stock = stock - %s WHERE id = %s RETURNING price_cents",
                (quantity, product_id),
            )
            product = await cur.fetchone()
            if product is None:
                return {"status": 404, "error": "no such product"}
            (price_cents,) = product

            cur = await conn.execute(
                "INSERT INTO orders (product_id, customer, quantity, amount_cents)"
                " VALUES (%s, %s, %s, %s) RETURNING id",
                (product_id, request["customer"], quantity, price_cents * quantity),
            )
            (order_id,) = await cur.fetchone()
    except CheckViolation as refusal:
        # Only this constraint means "sold out". Any other is a bug and must stay visible.
        if refusal.diag.constraint_name != "stock_not_negative":
            raise
        return {"status": 409, "error": "sold out"}

    return {"status": 201, "order_id": order_id, "amount_cents": price_cents * quantity}
