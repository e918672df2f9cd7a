"""Counts hits."""


async def hit(conn, request):
    counter_id = request["counter_id"]

    async with conn.transaction():
        cur = await conn.execute("SELECT hits FROM counters WHERE id = %s", (counter_id,))
        (hits,) = await cur.fetchone()
        await conn.execute("UPDATE counters SET hits = %s WHERE id = %s", (hits + 1, counter_id))
        await conn.execute("INSERT INTO hits (counter_id) VALUES (%s)", (counter_id,))

    return {"status": 200, "hits": hits + 1}
