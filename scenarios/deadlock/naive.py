"""Transfers between accounts of the wallet."""


async def lock_account(conn, account_id):
    """The balance of an account that nobody else can change until we commit."""
    cur = await conn.execute(
        "SELECT balance_cents FROM accounts WHERE id = %s FOR UPDATE",
        (account_id,),
    )
    row = await cur.fetchone()
    return row and row[0]


async def transfer(conn, request):
    """Move money from one account to another."""
    from_account = request["from_account"]
    to_account = request["to_account"]
    amount_cents = request["amount_cents"]

    if from_account == to_account:
        return {"status": 400, "error": "both accounts are the same"}

    async with conn.transaction():
        # Lock both accounts, so that concurrent transfers cannot change the balances under us.
        from_balance = await lock_account(conn, from_account)
        to_balance = await lock_account(conn, to_account)
        if from_balance is None or to_balance is None:
            return {"status": 404, "error": "no such account"}
        if from_balance < amount_cents:
            return {"status": 409, "error": "not enough money"}

        await conn.execute(
            "UPDATE accounts SET balance_cents = %s WHERE id = %s",
            (from_balance - amount_cents, from_account),
        )
        await conn.execute(
            "UPDATE accounts SET balance_cents = %s WHERE id = %s",
            (to_balance + amount_cents, to_account),
        )
        cur = await conn.execute(
            "INSERT INTO transfers (from_account, to_account, amount_cents)"
            " VALUES (%s, %s, %s) RETURNING id",
            (from_account, to_account, amount_cents),
        )
        (transfer_id,) = await cur.fetchone()

    return {"status": 201, "transfer_id": transfer_id}
