"""Shop: the event is a row of the same transaction; a relay publishes the rows."""

import json
import uuid

from events import EventsError

# What a crash or a dead broker lets a relay publish twice is at most one batch.
BATCH = 20


async def place_order(conn, request):
    order_id = str(uuid.uuid4())
    payload = {
        "order_id": order_id,
        "customer": request["customer"],
        "sku": request["sku"],
        "quantity": request["quantity"],
    }

    # One commit decides on both. The bus may be down: it is not asked here.
    async with conn.transaction():
        await conn.execute(
            "INSERT INTO orders (id, customer, sku, quantity, amount_cents) VALUES (%s, %s, %s, %s, %s)",
            (order_id, request["customer"], request["sku"], request["quantity"], request["amount_cents"]),
        )
        await conn.execute(
            "INSERT INTO outbox (topic, key, payload) VALUES (%s, %s, %s)",
            ("orders.placed", order_id, json.dumps(payload)),
        )

    return {"status": 201, "order_id": order_id}


async def relay(pool, events):
    """Publishes what is in the outbox, oldest first. Several relays may run: each skips the rows another one holds."""
    async with pool.connection() as conn, conn.transaction():
        cur = await conn.execute(
            "SELECT id, topic, key, payload FROM outbox ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
            (BATCH,),
        )
        for row_id, topic, key, payload in await cur.fetchall():
            try:
                # A crash after this line and before the commit publishes again: consumers go by event_id.
                await events.publish(topic, json.loads(payload), key=key, event_id=f"outbox-{row_id}")
            except EventsError:
                # What is published so far is committed; the rest waits for the next turn.
                break
            await conn.execute("DELETE FROM outbox WHERE id = %s", (row_id,))
