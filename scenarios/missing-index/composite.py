"""Support: the orders of a customer, by email. The index has them in the order in which the page wants them."""

from psycopg.rows import dict_row


async def find_orders(conn, request):
    """The customer's ten latest orders.

    orders_email_latest is sorted by email first, and within an email by date, latest first. The ten rows stand next to
    each other: nothing is sorted, and the eleventh is never read.
    """
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, placed_on, status, amount_cents FROM orders"
        " WHERE email = %s ORDER BY placed_on DESC, id DESC LIMIT 10",
        (request["email"].lower(),),
    )
    return {"status": 200, "orders": await cur.fetchall()}


async def order_page(conn, request):
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, placed_on, status, amount_cents FROM orders WHERE id = %s",
        (request["order_id"],),
    )
    order = await cur.fetchone()
    if order is None:
        return {"status": 404, "error": "no such order"}
    return {"status": 200, "order": order}
