"""On-call rota: whoever changes a rota locks it first. The row stands for the rule."""


async def lock_rota(conn, rota_id):
    # Two engineers write two different shifts and would never meet. Here they do.
    await conn.execute("SELECT id FROM rotas WHERE id = %s FOR UPDATE", (rota_id,))


async def leave(conn, request):
    async with conn.transaction():
        await lock_rota(conn, request["rota_id"])

        # A statement of its own, after the lock: at READ COMMITTED it sees what was committed during the wait.
        cur = await conn.execute(
            "SELECT COUNT(*) FROM shifts WHERE rota_id = %s AND on_call",
            (request["rota_id"],),
        )
        (on_call,) = await cur.fetchone()
        if on_call <= 1:
            return {"status": 409, "error": "you are the last one on call"}

        await conn.execute(
            "UPDATE shifts SET on_call = FALSE WHERE rota_id = %s AND engineer = %s",
            (request["rota_id"], request["engineer"]),
        )
    return {"status": 200}


async def join(conn, request):
    # To go on call breaks no rule, whatever others do: no lock.
    await conn.execute(
        "UPDATE shifts SET on_call = TRUE WHERE rota_id = %s AND engineer = %s",
        (request["rota_id"], request["engineer"]),
    )
    return {"status": 200}
