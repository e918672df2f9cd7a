"""Transfers: a transaction that lost a deadlock is run again from its first statement."""

import asyncio
import random

from psycopg.errors import DeadlockDetected

ATTEMPTS = 10
BASE_DELAY_S = 0.01
LONGEST_DELAY_S = 0.5


async def transfer(conn, request):
    if request["from_account"] == request["to_account"]:
        return {"status": 400, "error": "both accounts are the same"}

    for attempt in range(ATTEMPTS):
        try:
            return await transfer_once(conn, request)
        except DeadlockDetected:
            # PostgreSQL has rolled this transaction back, so everything it read is void. The others
            # of the circle go on; stay out of their way for a random while.
            await asyncio.sleep(random.uniform(0, min(LONGEST_DELAY_S, BASE_DELAY_S * 2**attempt)))
    return {"status": 503, "error": "too many transfers at once, try again"}


async def transfer_once(conn, request):
    from_account = request["from_account"]
    to_account = request["to_account"]
    amount_cents = request["amount_cents"]

    async with conn.transaction():
        # Locks nobody needs before the money moves are not taken: subtract where enough is there, then add.
        cur = await conn.execute(
            "UPDATE accounts SET balance_cents = balance_cents - %(amount)s"
            " WHERE id = %(id)s AND balance_cents >= %(amount)s",
            {"amount": amount_cents, "id": from_account},
        )
        if cur.rowcount == 0:
            return {"status": 409, "error": "no such account, or not enough money"}
        await conn.execute(
            "UPDATE accounts SET balance_cents = balance_cents + %s WHERE id = %s",
            (amount_cents, to_account),
        )
        cur = await conn.execute(
            "INSERT INTO transfers (from_account, to_account, amount_cents)"
            " VALUES (%s, %s, %s) RETURNING id",
            (from_account, to_account, amount_cents),
        )
        (transfer_id,) = await cur.fetchone()

    return {"status": 201, "transfer_id": transfer_id}
