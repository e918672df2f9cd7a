"""On-call rota: the rota counts who is on call, and a constraint keeps the count above zero."""

from psycopg.errors import CheckViolation


async def leave(conn, request):
    try:
        async with conn.transaction():
            if await switch(conn, request, on_call=False):
                # All who leave meet in this row, and the constraint looks at each of them.
                await count(conn, request["rota_id"], -1)
    except CheckViolation as refusal:
        if refusal.diag.constraint_name != "somebody_on_call":
            raise
        return {"status": 409, "error": "you are the last one on call"}
    return {"status": 200}


async def join(conn, request):
    async with conn.transaction():
        if await switch(conn, request, on_call=True):
            await count(conn, request["rota_id"], +1)
    return {"status": 200}


async def switch(conn, request, on_call):
    """True when the shift was changed. One that is as wanted already must not be counted again."""
    cur = await conn.execute(
        "UPDATE shifts SET on_call = %s WHERE rota_id = %s AND engineer = %s AND on_call <> %s",
        (on_call, request["rota_id"], request["engineer"], on_call),
    )
    return cur.rowcount == 1


async def count(conn, rota_id, change):
    await conn.execute(
        "UPDATE rotas SET on_call_count = on_call_count + %s WHERE id = %s",
        (change, rota_id),
    )
