"""The shop's orders. Reads may be late; a cart becomes one order all the same."""


async def place_order(pool, request):
    """Save the order. A cart that has been ordered already gives the order it became."""
    async with pool.connection() as conn:
        async with conn.transaction():
            # A second one for the same cart waits here for the first, and then finds the key taken.
            cur = await conn.execute(
                "INSERT INTO ordered_carts (cart_id) VALUES (%s) ON CONFLICT (cart_id) DO NOTHING RETURNING cart_id",
                (request["cart_id"],),
            )
            if await cur.fetchone() is not None:
                cur = await conn.execute(
                    "INSERT INTO orders (customer_id, cart_id, amount_cents) VALUES (%s, %s, %s) RETURNING id",
                    (request["customer_id"], request["cart_id"], request["amount_cents"]),
                )
                (order_id,) = await cur.fetchone()
                await conn.execute(
                    "UPDATE ordered_carts SET order_id = %s WHERE cart_id = %s", (order_id, request["cart_id"])
                )
                return {"status": 201, "order_id": order_id, "go_to": "/my-orders"}

        cur = await conn.execute("SELECT order_id FROM ordered_carts WHERE cart_id = %s", (request["cart_id"],))
        (order_id,) = await cur.fetchone()
    return {"status": 200, "order_id": order_id, "go_to": "/my-orders"}


async def my_orders(replica, request):
    """The customer's latest orders, as of some moments ago."""
    async with replica.connection() as conn:
        cur = await conn.execute(
            "SELECT id, cart_id, amount_cents FROM orders WHERE customer_id = %s ORDER BY id DESC LIMIT 20",
            (request["customer_id"],),
        )
        rows = await cur.fetchall()
    orders = [{"id": id, "cart_id": cart_id, "amount_cents": cents} for id, cart_id, cents in rows]
    return {"status": 200, "orders": orders, "note": "A new order appears here within a few seconds."}
