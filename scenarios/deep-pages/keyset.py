"""Warehouse export: each page begins where the last one ended, by key and not by count."""

PAGE_SIZE = 20


async def export(pool, request):
    async with pool.connection() as conn:
        cur = await conn.execute(
            "INSERT INTO exports (newest_order_id) VALUES ((SELECT MAX(id) FROM orders)) RETURNING id, newest_order_id"
        )
        export_id, newest_order_id = await cur.fetchone()

    # Everything above `below` has been written. Orders that come or go there move nothing: the next page is
    # found by an id, in one descent of the index, however deep it is.
    below = newest_order_id + 1
    pages = 0
    while True:
        async with pool.connection() as conn:
            cur = await conn.execute(
                "SELECT id FROM orders WHERE status = 'open' AND id < %s ORDER BY id DESC LIMIT %s",
                (below, PAGE_SIZE),
            )
            order_ids = [order_id for (order_id,) in await cur.fetchall()]
            await write_lines(conn, export_id, order_ids)
        pages += 1
        if len(order_ids) < PAGE_SIZE:
            break
        below = order_ids[-1]

    async with pool.connection() as conn:
        await conn.execute("UPDATE exports SET finished = TRUE WHERE id = %s", (export_id,))
    return {"status": 200, "pages": pages}


async def write_lines(conn, export_id, order_ids):
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
