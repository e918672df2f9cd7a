"""Order service: delivered twice is charged once, because the order is the key of its charge."""

import json
import logging
import uuid

from payments import IdempotencyConflict, PaymentDeclined

log = logging.getLogger("orders")

VISIBILITY_S = 2


async def place_order(conn, queue, request):
    order_id = str(uuid.uuid4())
    await conn.execute(
        "INSERT INTO orders (id, customer, card, amount_cents) VALUES (%s, %s, %s, %s)",
        (order_id, request["customer"], request["card"], request["amount_cents"]),
    )
    await conn.commit()

    await queue.send("payments", json.dumps({"order_id": order_id}))
    return {"status": 202, "order_id": order_id}


async def consume(pool, queue, payments):
    messages = await queue.receive("payments", max_messages=10, visibility_s=VISIBILITY_S)
    for message in messages:
        order_id = json.loads(message["body"])["order_id"]
        try:
            await take_payment(pool, payments, order_id)
        except IdempotencyConflict:
            # Another worker's charge for this order is still running. The message comes back.
            continue
        except Exception:
            log.exception("payment for order %s failed, will be tried again", order_id)
            continue
        await queue.delete("payments", message["receipt"])


async def take_payment(pool, payments, order_id):
    async with pool.connection() as conn:
        cur = await conn.execute("SELECT card, amount_cents, status FROM orders WHERE id = %s", (order_id,))
        card, amount_cents, status = await cur.fetchone()
    if status != "placed":
        return  # saves a call; what makes it safe is the key below

    status = "paid"
    try:
        # The gateway keeps the answer under this key: the same charge again is that answer again.
        await payments.charge(
            amount_cents=amount_cents,
            card=card,
            reference=order_id,
            idempotency_key=f"order-{order_id}",
        )
    except PaymentDeclined:
        status = "declined"

    async with pool.connection() as conn:
        await conn.execute(
            "UPDATE orders SET status = %s WHERE id = %s AND status = 'placed'",
            (status, order_id),
        )
