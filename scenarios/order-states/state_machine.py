"""Orders: one function changes a status, by a table of what may follow what, and writes down that it did."""


class Refused(Exception):
    def __init__(self, status, error):
        super().__init__(error)
        self.status = status


async def act(conn, order_id, action):
    """Makes the transition that `action` stands for and returns the order's amount."""
    # The lock makes "look up what may follow" and "do it" one thing for this order.
    cur = await conn.execute(
        "SELECT status, amount_cents FROM orders WHERE id = %s FOR NO KEY UPDATE",
        (order_id,),
    )
    order = await cur.fetchone()
    if order is None:
        raise Refused(404, "no such order")
    status, amount_cents = order

    cur = await conn.execute(
        "SELECT to_status FROM order_transitions WHERE from_status = %s AND action = %s",
        (status, action),
    )
    allowed = await cur.fetchone()
    if allowed is None:
        raise Refused(409, f"cannot {action}: the order is {status}")
    (new_status,) = allowed

    await conn.execute("UPDATE orders SET status = %s WHERE id = %s", (new_status, order_id))
    await conn.execute(
        "INSERT INTO order_history (order_id, from_status, action, to_status) VALUES (%s, %s, %s, %s)",
        (order_id, status, action, new_status),
    )
    return amount_cents


async def ship(conn, request):
    try:
        async with conn.transaction():
            await act(conn, request["order_id"], "ship")
            await conn.execute("INSERT INTO shipments (order_id) VALUES (%s)", (request["order_id"],))
    except Refused as refused:
        return {"status": refused.status, "error": str(refused)}
    return {"status": 200}


async def refund(conn, request):
    return await pay_back(conn, request["order_id"], "refund")


async def cancel(conn, request):
    return await pay_back(conn, request["order_id"], "cancel")


async def pay_back(conn, order_id, action):
    try:
        async with conn.transaction():
            amount_cents = await act(conn, order_id, action)
            await conn.execute(
                "INSERT INTO refunds (order_id, amount_cents, reason) VALUES (%s, %s, %s)",
                (order_id, amount_cents, action),
            )
    except Refused as refused:
        return {"status": refused.status, "error": str(refused)}
    return {"status": 200, "refunded_cents": amount_cents}
