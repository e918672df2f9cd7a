"""Transfers: every transaction locks accounts in the same order, whichever way the money goes."""


async def lock_accounts(conn, *account_ids):
    """Balances by account, locked from the lowest id to the highest.

    One rule for the whole program: accounts are locked here and nowhere else. A transaction that holds
    account n then only ever waits for accounts above n, so no circle of waiting can close.
    """
    balances = {}
    for account_id in sorted(account_ids):
        cur = await conn.execute(
            "SELECT balance_cents FROM accounts WHERE id = %s FOR NO KEY UPDATE",
            (account_id,),
        )
        row = await cur.fetchone()
        if row is not None:
            balances[account_id] = row[0]
    return balances


async def transfer(conn, request):
    from_account = request["from_account"]
    to_account = request["to_account"]
    amount_cents = request["amount_cents"]

    if from_account == to_account:
        return {"status": 400, "error": "both accounts are the same"}

    async with conn.transaction():
        balances = await lock_accounts(conn, from_account, to_account)
        if len(balances) < 2:
            return {"status": 404, "error": "no such account"}
        if balances[from_account] < amount_cents:
            return {"status": 409, "error": "not enough money"}

        await conn.execute(
            "UPDATE accounts SET balance_cents = %s WHERE id = %s",
            (balances[from_account] - amount_cents, from_account),
        )
        await conn.execute(
            "UPDATE accounts SET balance_cents = %s WHERE id = %s",
            (balances[to_account] + amount_cents, to_account),
        )
        cur = await conn.execute(
            "INSERT INTO transfers (from_account, to_account, amount_cents)"
            " VALUES (%s, %s, %s) RETURNING id",
            (from_account, to_account, amount_cents),
        )
        (transfer_id,) = await cur.fetchone()

    return {"status": 201, "transfer_id": transfer_id}
