"""Warehouse export: all pages from one snapshot. Pages by count are right when nothing moves."""

from psycopg import IsolationLevel

PAGE_SIZE = 20


async def export(pool, request):
    async with pool.connection() as conn:
        # REPEATABLE READ: every statement sees the orders as they were at the first one. The transaction
        # stays open for all pages, and for so long PostgreSQL cannot clean up what others delete.
        await conn.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        try:
            async with conn.transaction():
                pages = await write_pages(conn)
        finally:
            await conn.set_isolation_level(None)
    return {"status": 200, "pages": pages}


async def write_pages(conn):
    cur = await conn.execute("INSERT INTO exports (newest_order_id) VALUES ((SELECT MAX(id) FROM orders)) RETURNING id")
    (export_id,) = await cur.fetchone()

    page = 0
    while True:
        cur = await conn.execute(
            "SELECT id FROM orders WHERE status = 'open' ORDER BY id DESC LIMIT %s OFFSET %s",
            (PAGE_SIZE, page * PAGE_SIZE),
        )
        order_ids = [order_id for (order_id,) in await cur.fetchall()]
        await conn.execute(
            "INSERT INTO export_lines (export_id, order_id) SELECT %s, id FROM orders WHERE id = ANY(%s)",
            (export_id, order_ids),
        )
        if len(order_ids) < PAGE_SIZE:
            break
        page += 1

    await conn.execute("UPDATE exports SET finished = TRUE WHERE id = %s", (export_id,))
    return page + 1


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
