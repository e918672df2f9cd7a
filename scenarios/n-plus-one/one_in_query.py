"""Back office: the latest orders, then all their customers at once."""

from psycopg.rows import dict_row


async def get_orders(conn, limit):
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, customer_id, status, amount_cents FROM orders ORDER BY id DESC LIMIT %s",
        (limit,),
    )
    return await cur.fetchall()


async def get_customers(conn, customer_ids):
    """Customers by id. One statement, however many ids."""
    cur = conn.cursor(row_factory=dict_row)
    # psycopg sends a list as an array: = ANY(…) keeps one statement text for every number of ids,
    # where IN (%s, %s, …) would make a new one for each.
    await cur.execute(
        "SELECT id, name, email FROM customers WHERE id = ANY(%s)",
        (sorted(customer_ids),),
    )
    return {customer["id"]: customer for customer in await cur.fetchall()}


async def list_orders(conn, request):
    orders = await get_orders(conn, request["page_size"])
    customers = await get_customers(conn, {order["customer_id"] for order in orders})

    rows = []
    for order in orders:
        customer = customers[order["customer_id"]]
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
