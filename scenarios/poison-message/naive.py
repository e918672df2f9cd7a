"""Invoice import: suppliers send documents, a worker books them."""

import json

VISIBILITY_S = 2


async def receive_document(conn, queue, request):
    """Accept a document and queue it."""
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
    """Worker: book a batch of documents, then remove them from the queue."""
    messages = await queue.receive("invoices", max_messages=10, visibility_s=VISIBILITY_S)
    for message in messages:
        document = json.loads(message["body"])
        await book(pool, document)
        # An error leaves the message where it is, and it is tried again later.
        await queue.delete("invoices", message["receipt"])


async def book(pool, document):
    amount_cents = int(document["amount_cents"])
    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO invoices (import_id, supplier, amount_cents) VALUES (%s, %s, %s)"
            " ON CONFLICT (import_id) DO NOTHING",
            (document["import_id"], document["supplier"], amount_cents),
        )
