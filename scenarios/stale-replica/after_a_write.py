"""The shop's orders. Who has just written reads from the primary for a while; everybody else from the replica."""

import time

# Longer than the replica is ever behind, as far as anybody knows. The alarm on its lag stands at half of this.
PRIMARY_FOR_S = 5.0


async def place_order(pool, request):
    async with pool.connection() as conn:
        cur = await conn.execute(
            "INSERT INTO orders (customer_id, cart_id, amount_cents) VALUES (%s, %s, %s) RETURNING id",
            (request["customer_id"], request["cart_id"], request["amount_cents"]),
        )
        (order_id,) = await cur.fetchone()
    # The browser sends the cookie along from now on, to whichever process answers.
    return {"status": 201, "order_id": order_id, "go_to": "/my-orders", "cookie": {"wrote_at": time.time()}}


async def my_orders(pool, replica, request):
    """The customer's latest orders, their own among them."""
    wrote_at = (request.get("cookie") or {}).get("wrote_at", 0.0)
    source = pool if time.time() - wrote_at < PRIMARY_FOR_S else replica
    async with source.connection() as conn:
        cur = await conn.execute(
            "SELECT id, cart_id, amount_cents FROM orders WHERE customer_id = %s ORDER BY id DESC LIMIT 20",
            (request["customer_id"],),
        )
        rows = await cur.fetchall()
    orders = [{"id": id, "cart_id": cart_id, "amount_cents": cents} for id, cart_id, cents in rows]
    return {"status": 200, "orders": orders}
