"""Flash sale: check and take in one statement."""


async def buy(conn, request):
    product_id = request["product_id"]
    quantity = request["quantity"]

    async with conn.transaction():
        # The database compares and subtracts on the newest committed row. A second buyer waits for
        # the first one's commit and then has the WHERE clause checked again on the new row.
        cur = await conn.execute(
            "UPDATE products SET stock = stock - %(quantity)s"
            " WHERE id = %(product_id)s AND stock >= %(quantity)s"
            " RETURNING price_cents",
            {"product_id": product_id, "quantity": quantity},
        )
        taken = await cur.fetchone()
        if taken is None:
            return await explain_refusal(conn, product_id)
        (price_cents,) = taken

        cur = await conn.execute(
            "INSERT INTO orders (product_id, customer, quantity, amount_cents)"
            " VALUES (%s, %s, %s, %s) RETURNING id",
            (product_id, request["customer"], quantity, price_cents * quantity),
        )
        (order_id,) = await cur.fetchone()

    return {"status": 201, "order_id": order_id, "amount_cents": price_cents * quantity}


async def explain_refusal(conn, product_id):
    """No row was updated: either the product does not exist or there are too few units."""
    cur = await conn.execute("SELECT 1 FROM products WHERE id = %s", (product_id,))
    if await cur.fetchone() is None:
        return {"status": 404, "error": "no such product"}
    return {"status": 409, "error": "sold out"}
