"""Invoice import: dead letters, and somebody is told before customers notice."""

import json
import logging

log = logging.getLogger("invoices")

VISIBILITY_S = 2
MAX_RECEIVES = 3
BACKLOG_TO_WAKE_SOMEBODY = 200

_configured = False
_alarmed = set()


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
            log.exception("message %s failed, delivery %d", message["id"], message["receive_count"])
            continue
        await queue.delete("invoices", message["receipt"])


async def watch(queue):
    """Any dead letter wants a person, today. A backlog wants one now."""
    dead = await queue.depth("invoices-dead")
    backlog = await queue.depth("invoices")
    alarm("dead letters", dead > 0, logging.WARNING, f"{dead} invoices could not be booked and wait for somebody")
    alarm("backlog", backlog > BACKLOG_TO_WAKE_SOMEBODY, logging.ERROR, f"{backlog} invoices wait, bookings fall behind")


def alarm(name, on, level, text):
    """Told when it begins and when it ends, not every time it is looked at."""
    if on and name not in _alarmed:
        _alarmed.add(name)
        log.log(level, text)
    elif not on and name in _alarmed:
        _alarmed.discard(name)
        log.info("%s: over", name)


async def configure(queue):
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
