"""Warehouse export: all open orders, page by page. And the two endpoints that change orders meanwhile."""

PAGE_SIZE = 20


async def export(pool, request):
    """Write all open orders into one export, newest first."""
    async with pool.connection() as conn:
        cur = await conn.execute(
            "INSERT INTO exports (newest_order_id) VALUES ((SELECT MAX(id) FROM orders)) RETURNING id"
        )
        (export_id,) = await cur.fetchone()

    # Small pages, so that no transaction runs for long.
    page = 0
    while True:
        async with pool.connection() as conn:
            cur = await conn.execute(
                "SELECT id FROM orders WHERE status = 'open' ORDER BY id DESC LIMIT %s OFFSET %s",
                (PAGE_SIZE, page * PAGE_SIZE),
            )
            order_ids = [order_id for (order_id,) in await cur.fetchall()]
            await write_lines(conn, export_id, order_ids)
        if len(order_ids) < PAGE_SIZE:
            break
        page += 1

    async with pool.connection() as conn:
        await conn.execute("UPDATE exports SET finished = TRUE WHERE id = %s", (export_id,))
    return {"status": 200, "pages": page + 1}


async def write_lines(conn, export_id, order_ids):
    """One statement for a whole page."""
    await conn.execute(
        "INSERT INTO export_lines (export_id, order_id) SELECT %s, id FROM orders WHERE id = ANY(%s)",
        (export_id, order_ids),
    )


async def place_order(conn, request):
    cur = await conn.execute(
        "INSERT INTO orders (amount_cents) VALUES (%s) RETURNING id",
        (request["amount_cents"],),
    )
    (order_id,) = await cur.fetchone()
    return {"status": 201, "order_id": order_id}


async def ship_order(conn, request):
    cur = await conn.execute(
        "UPDATE orders SET status = 'shipped' WHERE id = %s AND status = 'open'",
        (request["order_id"],),
    )
    return {"status": 200 if cur.rowcount else 409}
