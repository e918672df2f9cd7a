"""Shop: the order itself remembers whether it was announced; a sweeper announces the rest."""

import logging
import uuid

from events import EventsError

log = logging.getLogger("orders")

BATCH = 50


async def place_order(conn, events, request):
    order_id = str(uuid.uuid4())

    async with conn.transaction():
        await conn.execute(
            "INSERT INTO orders (id, customer, sku, quantity, amount_cents) VALUES (%s, %s, %s, %s, %s)",
            (order_id, request["customer"], request["sku"], request["quantity"], request["amount_cents"]),
        )

    try:
        await announce(conn, events, order_id, request["customer"], request["sku"], request["quantity"])
    except EventsError:
        # The order stands. It is still marked as not announced, so the sweeper takes care of it.
        log.warning("order %s was not announced, left to the sweeper", order_id)

    return {"status": 201, "order_id": order_id}


async def sweep(pool, events):
    """Announces orders that nobody has announced within two seconds."""
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "SELECT id, customer, sku, quantity FROM orders"
            " WHERE announced_at IS NULL AND created_at < now() - interval '2 seconds'"
            " ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED",
            (BATCH,),
        )
        for order in await cur.fetchall():
            await announce(conn, events, *order)


async def announce(conn, events, order_id, customer, sku, quantity):
    await events.publish(
        "orders.placed",
        {"order_id": order_id, "customer": customer, "sku": sku, "quantity": quantity},
        key=order_id,
        # The sweeper may announce an order whose first announcement did arrive. Consumers see that by the id.
        event_id=f"placed-{order_id}",
    )
    await conn.execute("UPDATE orders SET announced_at = now() WHERE id = %s", (order_id,))
