"""Orders: the query itself knows whose orders it may find."""

from psycopg.rows import dict_row


async def get_order(conn, request):
    user_id = request["user_id"]

    # One statement for "find it" and "may they see it": nobody can forget the second half. The role is what the
    # database says now, whatever a token said when it was issued.
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT o.id, o.customer_id, o.address, o.amount_cents"
        " FROM orders o JOIN users u ON u.id = %s"
        " WHERE o.id = %s"
        " AND ((u.role = 'customer' AND o.customer_id = u.id) OR u.role = 'support')",
        (user_id, request["order_id"]),
    )
    order = await cur.fetchone()
    if order is None:
        # The same answer for "not yours" and "not there": otherwise one can count the orders.
        return {"status": 404, "error": "no such order"}

    await conn.execute(
        "INSERT INTO order_views (user_id, order_id) VALUES (%s, %s)",
        (user_id, order["id"]),
    )
    return {"status": 200, "order": order}
