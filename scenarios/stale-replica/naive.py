"""The shop's orders. Writes go to the primary; reads go to the replica, so that they scale."""


async def place_order(pool, request):
    """Save the order. The browser goes on to "My orders"."""
    async with pool.connection() as conn:
        cur = await conn.execute(
            "INSERT INTO orders (customer_id, cart_id, amount_cents) VALUES (%s, %s, %s) RETURNING id",
            (request["customer_id"], request["cart_id"], request["amount_cents"]),
        )
        (order_id,) = await cur.fetchone()
    return {"status": 201, "order_id": order_id, "go_to": "/my-orders"}


async def my_orders(replica, request):
    """The customer's latest orders."""
    # Read-only: keep it off the primary.
    async with replica.connection() as conn:
        cur = await conn.execute(
            "SELECT id, cart_id, amount_cents FROM orders WHERE customer_id = %s ORDER BY id DESC LIMIT 20",
            (request["customer_id"],),
        )
        rows = await cur.fetchall()
    orders = [{"id": id, "cart_id": cart_id, "amount_cents": cents} for id, cart_id, cents in rows]
    return {"status": 200, "orders": orders}
