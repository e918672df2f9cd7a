"""Orders: a status changes only from the status it is expected to have, in one statement."""


async def transition(conn, order_id, expected, new_status):
    """The order's amount when this call made the change, None when somebody else was first.

    Of all transitions from `expected` that run at once, one finds its row. The others wait for it,
    have the WHERE clause checked again on the row as it is then, and find nothing.
    """
    cur = await conn.execute(
        "UPDATE orders SET status = %s WHERE id = %s AND status = %s RETURNING amount_cents",
        (new_status, order_id, expected),
    )
    row = await cur.fetchone()
    return row and row[0]


async def refusal(conn, order_id):
    cur = await conn.execute("SELECT status FROM orders WHERE id = %s", (order_id,))
    row = await cur.fetchone()
    if row is None:
        return {"status": 404, "error": "no such order"}
    return {"status": 409, "error": f"too late: the order is {row[0]}"}


async def ship(conn, request):
    order_id = request["order_id"]
    async with conn.transaction():
        # The transition comes first. What follows from it happens only for the one who made it.
        if await transition(conn, order_id, "paid", "shipped") is None:
            return await refusal(conn, order_id)
        await conn.execute("INSERT INTO shipments (order_id) VALUES (%s)", (order_id,))
    return {"status": 200}


async def refund(conn, request):
    return await pay_back(conn, request["order_id"], "refunded")


async def cancel(conn, request):
    return await pay_back(conn, request["order_id"], "cancelled")


async def pay_back(conn, order_id, new_status):
    async with conn.transaction():
        amount_cents = await transition(conn, order_id, "paid", new_status)
        if amount_cents is None:
            return await refusal(conn, order_id)
        await conn.execute(
            "INSERT INTO refunds (order_id, amount_cents, reason) VALUES (%s, %s, %s)",
            (order_id, amount_cents, new_status),
        )
    return {"status": 200, "refunded_cents": amount_cents}
