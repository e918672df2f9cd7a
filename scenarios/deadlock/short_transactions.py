"""Transfers: two short transactions, each of which locks one account. Who waits for nothing closes no circle."""


async def transfer(conn, request):
    from_account = request["from_account"]
    to_account = request["to_account"]
    amount_cents = request["amount_cents"]

    if from_account == to_account:
        return {"status": 400, "error": "both accounts are the same"}

    # 1. The money leaves, and a row says that it is on its way.
    async with conn.transaction():
        cur = await conn.execute(
            "INSERT INTO transfers (from_account, to_account, amount_cents, status)"
            " VALUES (%s, %s, %s, 'debited') RETURNING id",
            (from_account, to_account, amount_cents),
        )
        (transfer_id,) = await cur.fetchone()
        cur = await conn.execute(
            "UPDATE accounts SET balance_cents = balance_cents - %(amount)s"
            " WHERE id = %(id)s AND balance_cents >= %(amount)s",
            {"amount": amount_cents, "id": from_account},
        )
        if cur.rowcount == 0:
            await conn.execute("DELETE FROM transfers WHERE id = %s", (transfer_id,))
            return {"status": 409, "error": "no such account, or not enough money"}

    # 2. It arrives. If this process dies here, finish_transfers takes over.
    await credit(conn, transfer_id)
    return {"status": 201, "transfer_id": transfer_id}


async def credit(conn, transfer_id):
    """Safe to call twice: only one caller turns 'debited' into 'done'."""
    async with conn.transaction():
        cur = await conn.execute(
            "UPDATE transfers SET status = 'done' WHERE id = %s AND status = 'debited'"
            " RETURNING to_account, amount_cents",
            (transfer_id,),
        )
        arrived = await cur.fetchone()
        if arrived is not None:
            to_account, amount_cents = arrived
            await conn.execute(
                "UPDATE accounts SET balance_cents = balance_cents + %s WHERE id = %s",
                (amount_cents, to_account),
            )


async def finish_transfers(pool):
    """Worker: credits what was debited by a request that did not live to do it."""
    async with pool.connection() as conn:
        cur = await conn.execute(
            "SELECT id FROM transfers"
            " WHERE status = 'debited' AND created_at < now() - INTERVAL '5 seconds'"
            " ORDER BY id LIMIT 50"
        )
        left_over = await cur.fetchall()
        await conn.commit()
        for (transfer_id,) in left_over:
            await credit(conn, transfer_id)
