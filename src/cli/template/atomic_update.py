"""Counts hits: the database adds."""


async def hit(conn, request):
    counter_id = request["counter_id"]

    async with conn.transaction():
        cur = await conn.execute(
            "UPDATE counters SET hits = hits + 1 WHERE id = %s RETURNING hits",
            (counter_id,),
        )
        (hits,) = await cur.fetchone()
        await conn.execute("INSERT INTO hits (counter_id) VALUES (%s)", (counter_id,))

    return {"status": 200, "hits": hits}
