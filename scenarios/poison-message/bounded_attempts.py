"""Invoice import: the worker tells what cannot work from what may work later, and parks the former with its reason."""

import json
import logging

import psycopg

log = logging.getLogger("invoices")

VISIBILITY_S = 2
ATTEMPTS = 3


class Unreadable(Exception):
    """The document is wrong, and will be wrong tomorrow."""


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
    messages = await queue.receive("invoices", max_messages=10, visibility_s=VISIBILITY_S)
    for message in messages:
        try:
            await book(pool, parsed(message["body"]))
        except Unreadable as error:
            await park(pool, message, str(error))
        except psycopg.OperationalError:
            # The database is away. That says nothing about the message.
            log.warning("message %s waits for the database", message["id"])
            continue
        except Exception as error:
            log.exception("message %s failed, delivery %d", message["id"], message["receive_count"])
            if message["receive_count"] < ATTEMPTS:
                continue
            await park(pool, message, repr(error))
        await queue.delete("invoices", message["receipt"])


def parsed(body):
    try:
        document = json.loads(body)
        document["amount_cents"] = int(document["amount_cents"])
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    if document["amount_cents"] <= 0:
        raise Unreadable("the amount is not above 0")
    return document


async def park(pool, message, reason):
    """Kept with the reason, for somebody who can ask the supplier; replayed with one INSERT … SELECT when the code is mended."""
    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO parked_messages (message_id, body, reason) VALUES (%s, %s, %s)"
            " ON CONFLICT (message_id) DO NOTHING",
            (message["id"], message["body"], reason),
        )


async def book(pool, document):
    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO invoices (import_id, supplier, amount_cents) VALUES (%s, %s, %s)"
            " ON CONFLICT (import_id) DO NOTHING",
            (document["import_id"], document["supplier"], document["amount_cents"]),
        )
