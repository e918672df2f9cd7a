"""Flash sale: lock the product's row, then decide."""


async def buy(conn, request):
    product_id = request["product_id"]
    quantity = request["quantity"]

    async with conn.transaction():
        # FOR UPDATE waits until every earlier buyer of this product has committed, then reads
        # the row as they left it. From here to the commit nobody else can change the stock.
        cur = await conn.execute(
            "SELECT price_cents, stock FROM products WHERE id = %s FOR UPDATE",
            (product_id,),
        )
        product = await cur.fetchone()
        if product is None:
            return {"status": 404, "error": "no such product"}
        price_cents, stock = product

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
