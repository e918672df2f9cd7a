"""Flash sale: buy a product while there is stock."""


async def buy(conn, request):
    """Place an order if enough units are left."""
    product_id = request["product_id"]
    quantity = request["quantity"]

    # One transaction: the stock and the order are saved together or not at all.
    async with conn.transaction():
        cur = await conn.execute(
            "SELECT price_cents, stock FROM products WHERE id = %s",
            (product_id,),
        )
        product = await cur.fetchone()
        if product is None:
            return {"status": 404, "error": "no such product"}
        price_cents, stock = product

        # Never sell more than we have.
        if stock < quantity:
            return {"status": 409, "error": "sold out"}

        await conn.execute(
            "UPDATE products SET stock = %s WHERE id = %s",
            (stock - quantity, product_id),
        )
        cur = await conn.execute(
            "INSERT INTO orders (product_id, customer, quantity, amount_cents)"
            " VALUES (%s, %s, %s, %s) RETURNING id",
            (product_id, request["customer"], quantity, price_cents * quantity),
        )
        (order_id,) = await cur.fetchone()

    return {"status": 201, "order_id": order_id, "amount_cents": price_cents * quantity}
