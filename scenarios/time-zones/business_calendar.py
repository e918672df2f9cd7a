"""Daily bonus: the shop's calendar says which business day a moment belongs to."""


async def claim(conn, request):
    customer_id = request["customer_id"]
    at_minute = request["at_minute"]

    # The day's borders are rows. Who wants to know why a claim was refused can read them, and a shop whose
    # day ends at four in the morning needs other rows, not other code.
    cur = await conn.execute(
        "SELECT d.day FROM customers c JOIN business_days d ON d.shop_id = c.shop_id"
        " WHERE c.id = %s AND d.from_minute <= %s AND d.to_minute > %s",
        (customer_id, at_minute, at_minute),
    )
    row = await cur.fetchone()
    if row is None:
        return {"status": 422, "error": "no such customer, or a day for which there is no calendar"}
    (day,) = row

    cur = await conn.execute(
        "INSERT INTO bonus_claims (customer_id, day, at_minute) VALUES (%s, %s, %s)"
        " ON CONFLICT (customer_id, day) DO NOTHING RETURNING id",
        (customer_id, day, at_minute),
    )
    if await cur.fetchone() is None:
        return {"status": 409, "error": "already claimed today, come back tomorrow"}

    return {"status": 201, "day": day}
