"""Back office: the latest orders with their customers, in one statement."""

from psycopg.rows import dict_row


async def list_orders(conn, request):
    cur = conn.cursor(row_factory=dict_row)
    # First the page, then its customers: LIMIT counts orders, whatever is joined to them, and only
    # the customers of this page are looked up.
    await cur.execute(
        "SELECT o.id, o.status, o.amount_cents, c.name AS customer, c.email"
        " FROM (SELECT id, customer_id, status, amount_cents FROM orders ORDER BY id DESC LIMIT %s) o"
        " JOIN customers c ON c.id = o.customer_id"
        " ORDER BY o.id DESC",
        (request["page_size"],),
    )
    return {"status": 200, "orders": await cur.fetchall()}
