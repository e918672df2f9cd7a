"""Order service: a table remembers which messages are taken, so a second delivery finds the work claimed or done."""

import json
import logging
import uuid

from payments import PaymentDeclined

log = logging.getLogger("orders")

VISIBILITY_S = 2
# Longer than a charge can take, the gateway client's own timeout included.
CLAIM_S = 30


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
        claim = await claim_message(pool, message["id"])
        if claim == "working":
            continue  # somebody else is at it: the message comes back, and by then it is done
        if claim == "mine":
            try:
                await take_payment(pool, payments, message["id"], order_id)
            except Exception:
                log.exception("payment for order %s failed, will be tried again", order_id)
                await release_claim(pool, message["id"])
                continue
        await queue.delete("payments", message["receipt"])


async def claim_message(pool, message_id):
    """One worker gets `mine`; the others hear that it is `working` or `done`."""
    async with pool.connection() as conn:
        # Taking over a claim that ran out and making a new one are the same statement: the primary key decides who wins.
        cur = await conn.execute(
            "INSERT INTO inbox (message_id, claimed_until) VALUES (%(id)s, now() + %(claim)s * interval '1 second')"
            " ON CONFLICT (message_id) DO UPDATE SET claimed_until = EXCLUDED.claimed_until"
            " WHERE inbox.done_at IS NULL AND inbox.claimed_until < now()"
            " RETURNING message_id",
            {"id": message_id, "claim": CLAIM_S},
        )
        if await cur.fetchone():
            return "mine"
        cur = await conn.execute("SELECT done_at FROM inbox WHERE message_id = %s", (message_id,))
        (done_at,) = await cur.fetchone()
        return "working" if done_at is None else "done"


async def release_claim(pool, message_id):
    async with pool.connection() as conn:
        await conn.execute("UPDATE inbox SET claimed_until = now() WHERE message_id = %s", (message_id,))


async def take_payment(pool, payments, message_id, order_id):
    async with pool.connection() as conn:
        cur = await conn.execute("SELECT card, amount_cents FROM orders WHERE id = %s", (order_id,))
        card, amount_cents = await cur.fetchone()

    status = "paid"
    try:
        await payments.charge(amount_cents=amount_cents, card=card, reference=order_id)
    except PaymentDeclined:
        status = "declined"

    # The result and "this message is done" are saved together.
    async with pool.connection() as conn, conn.transaction():
        await conn.execute("UPDATE orders SET status = %s WHERE id = %s", (status, order_id))
        await conn.execute("UPDATE inbox SET done_at = now() WHERE message_id = %s", (message_id,))
