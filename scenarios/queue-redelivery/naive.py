"""Order service: the web request only places the order, a queue worker takes the money."""

import json
import logging
import uuid

from payments import PaymentDeclined

log = logging.getLogger("orders")

VISIBILITY_S = 2  # a message we fail on comes back after two seconds


async def place_order(conn, queue, request):
    """Save the order and hand the slow part to the worker."""
    order_id = str(uuid.uuid4())
    await conn.execute(
        "INSERT INTO orders (id, customer, card, amount_cents) VALUES (%s, %s, %s, %s)",
        (order_id, request["customer"], request["card"], request["amount_cents"]),
    )
    await conn.commit()

    await queue.send("payments", json.dumps({"order_id": order_id}))
    return {"status": 202, "order_id": order_id}


async def consume(pool, queue, payments):
    """Worker: take a batch, charge each order, delete what is done."""
    messages = await queue.receive("payments", max_messages=10, visibility_s=VISIBILITY_S)
    for message in messages:
        order_id = json.loads(message["body"])["order_id"]
        try:
            await take_payment(pool, payments, order_id)
        except Exception:
            # Not deleted: the queue delivers it again, so no order is lost.
            log.exception("payment for order %s failed, will be tried again", order_id)
            continue

        # Delete only after success.
        await queue.delete("payments", message["receipt"])


async def take_payment(pool, payments, order_id):
    async with pool.connection() as conn:
        cur = await conn.execute("SELECT card, amount_cents FROM orders WHERE id = %s", (order_id,))
        card, amount_cents = await cur.fetchone()

    status = "paid"
    try:
        await payments.charge(amount_cents=amount_cents, card=card, reference=order_id)
    except PaymentDeclined:
        status = "declined"

    async with pool.connection() as conn:
        await conn.execute("UPDATE orders SET status = %s WHERE id = %s", (status, order_id))
