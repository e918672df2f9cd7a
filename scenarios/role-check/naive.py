"""Orders: the details page, for customers and for support."""

from psycopg.rows import dict_row


async def get_order(conn, request):
    """Return one order. The gateway has verified the token; its claims are in the request."""
    user_id = request["user_id"]
    role = request["role"]

    # Only logged-in customers and our support team may see orders.
    if role not in ("customer", "support"):
        return {"status": 403, "error": "not allowed"}

    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, customer_id, address, amount_cents FROM orders WHERE id = %s",
        (request["order_id"],),
    )
    order = await cur.fetchone()
    if order is None:
        return {"status": 404, "error": "no such order"}

    await conn.execute(
        "INSERT INTO order_views (user_id, order_id) VALUES (%s, %s)",
        (user_id, order["id"]),
    )
    return {"status": 200, "order": order}
