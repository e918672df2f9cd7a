"""Support: the orders of a customer, by email."""

from psycopg.rows import dict_row


async def find_orders(conn, request):
    """The customer's ten latest orders."""
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, placed_on, status, amount_cents FROM orders"
        " WHERE email = %s ORDER BY placed_on DESC, id DESC LIMIT 10",
        (request["email"].lower(),),
    )
    return {"status": 200, "orders": await cur.fetchall()}


async def order_page(conn, request):
    """One order, by its number."""
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, placed_on, status, amount_cents FROM orders WHERE id = %s",
        (request["order_id"],),
    )
    order = await cur.fetchone()
    if order is None:
        return {"status": 404, "error": "no such order"}
    return {"status": 200, "order": order}
