"""Order service: while a message is being worked on, its worker keeps it hidden."""

import asyncio
import json
import logging
import uuid
from contextlib import asynccontextmanager

from payments import PaymentDeclined

log = logging.getLogger("orders")

VISIBILITY_S = 2
BEAT_S = VISIBILITY_S / 4


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
    # A batch is hidden from the moment it is received, not from when its turn comes: take one at a time.
    while messages := await queue.receive("payments", max_messages=1, visibility_s=VISIBILITY_S):
        await work_on(pool, queue, payments, messages[0])


async def work_on(pool, queue, payments, message):
    order_id = json.loads(message["body"])["order_id"]
    async with kept_hidden(queue, "payments", message["receipt"]):
        try:
            await take_payment(pool, payments, order_id)
        except Exception:
            log.exception("payment for order %s failed, will be tried again", order_id)
            return
    await queue.delete("payments", message["receipt"])


@asynccontextmanager
async def kept_hidden(queue, name, receipt):
    """Pushes the end of the visibility timeout ahead of us until the block ends."""

    async def beat():
        while True:
            await asyncio.sleep(BEAT_S)
            await queue.change_visibility(name, receipt, visibility_s=VISIBILITY_S)

    heart = asyncio.create_task(beat())
    try:
        yield
    finally:
        heart.cancel()


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
