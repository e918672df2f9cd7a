"""Orders: ship, refund and cancel."""


async def get_status(conn, order_id):
    cur = await conn.execute("SELECT status, amount_cents FROM orders WHERE id = %s", (order_id,))
    return await cur.fetchone()


async def set_status(conn, order_id, status):
    await conn.execute("UPDATE orders SET status = %s WHERE id = %s", (status, order_id))


async def ship(conn, request):
    """Print the label of a paid order."""
    async with conn.transaction():
        order = await get_status(conn, request["order_id"])
        if order is None:
            return {"status": 404, "error": "no such order"}
        status, _ = order
        # Only a paid order may leave the house.
        if status != "paid":
            return {"status": 409, "error": f"cannot ship: the order is {status}"}

        await conn.execute("INSERT INTO shipments (order_id) VALUES (%s)", (request["order_id"],))
        await set_status(conn, request["order_id"], "shipped")
    return {"status": 200}


async def refund(conn, request):
    """Give the money of a paid order back."""
    return await pay_back(conn, request["order_id"], "refunded")


async def cancel(conn, request):
    """The customer has changed their mind: stop the order and give the money back."""
    return await pay_back(conn, request["order_id"], "cancelled")


async def pay_back(conn, order_id, new_status):
    async with conn.transaction():
        order = await get_status(conn, order_id)
        if order is None:
            return {"status": 404, "error": "no such order"}
        status, amount_cents = order
        # Never pay back twice, and never for a parcel that is on its way.
        if status != "paid":
            return {"status": 409, "error": f"too late: the order is {status}"}

        await conn.execute(
            "INSERT INTO refunds (order_id, amount_cents, reason) VALUES (%s, %s, %s)",
            (order_id, amount_cents, new_status),
        )
        await set_status(conn, order_id, new_status)
    return {"status": 200, "refunded_cents": amount_cents}
