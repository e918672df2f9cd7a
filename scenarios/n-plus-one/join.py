"""Back office: the latest orders with their customers, in one statement."""

from psycopg.rows import dict_row


async def list_orders(conn, request):
    cur = conn.cursor(row_factory=dict_row)
    # An order has exactly one customer, so the join makes no order appear twice and LIMIT counts orders.
    await cur.execute(
        "SELECT o.id, o.status, o.amount_cents, c.name AS customer, c.email"
        " FROM orders o JOIN customers c ON c.id = o.customer_id"
        " ORDER BY o.id DESC LIMIT %s",
        (request["page_size"],),
    )
    return {"status": 200, "orders": await cur.fetchall()}
