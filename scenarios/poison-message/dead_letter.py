"""Invoice import: each message fails alone, and one that keeps failing leaves the queue."""

import json
import logging

log = logging.getLogger("invoices")

VISIBILITY_S = 2
MAX_RECEIVES = 3

_configured = False


async def receive_document(conn, queue, request):
    cur = await conn.execute(
        "INSERT INTO imports (supplier, amount) VALUES (%s, %s) RETURNING id",
        (request["supplier"], request["amount"]),
    )
    (import_id,) = await cur.fetchone()
    await conn.commit()

    document = {"import_id": import_id, "supplier": request["supplier"], "amount_cents": request["amount"]}
    await queue.send("invoices", json.dumps(document))
    return {"status": 202, "import_id": import_id}


async def book_invoices(pool, queue):
    await configure(queue)
    messages = await queue.receive("invoices", max_messages=10, visibility_s=VISIBILITY_S)
    for message in messages:
        try:
            await book(pool, json.loads(message["body"]))
        except Exception:
            # Its neighbours are not to blame. The queue counts how often this one has come.
            log.exception("message %s failed, delivery %d", message["id"], message["receive_count"])
            continue
        await queue.delete("invoices", message["receipt"])


async def configure(queue):
    """What infrastructure code would do once: after three deliveries a message goes to the dead-letter queue."""
    global _configured
    if not _configured:
        await queue.set_redrive_policy("invoices", dead_letter_queue="invoices-dead", max_receives=MAX_RECEIVES)
        _configured = True


async def book(pool, document):
    amount_cents = int(document["amount_cents"])
    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO invoices (import_id, supplier, amount_cents) VALUES (%s, %s, %s)"
            " ON CONFLICT (import_id) DO NOTHING",
            (document["import_id"], document["supplier"], amount_cents),
        )
