"""Back office: the latest orders with their customers."""

from psycopg.rows import dict_row


async def get_orders(conn, limit):
    """The latest orders, newest first."""
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, customer_id, status, amount_cents FROM orders ORDER BY id DESC LIMIT %s",
        (limit,),
    )
    return await cur.fetchall()


async def get_customer(conn, customer_id):
    """One customer by id."""
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, name, email FROM customers WHERE id = %s",
        (customer_id,),
    )
    return await cur.fetchone()


async def list_orders(conn, request):
    orders = await get_orders(conn, request["page_size"])

    rows = []
    for order in orders:
        customer = await get_customer(conn, order["customer_id"])
        rows.append(
            {
                "id": order["id"],
                "status": order["status"],
                "amount_cents": order["amount_cents"],
                "customer": customer["name"],
                "email": customer["email"],
            }
        )

    return {"status": 200, "orders": rows}
