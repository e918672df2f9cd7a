"""On-call rota: engineers go on and off call."""

from psycopg import IsolationLevel
from psycopg.errors import SerializationFailure


async def leave(conn, request):
    """Go off call, unless that would leave nobody."""
    # REPEATABLE READ: everything in this transaction sees the same state of the rota.
    await conn.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    try:
        async with conn.transaction():
            cur = await conn.execute(
                "SELECT COUNT(*) FROM shifts WHERE rota_id = %s AND on_call",
                (request["rota_id"],),
            )
            (on_call,) = await cur.fetchone()

            # Somebody must always be reachable.
            if on_call <= 1:
                return {"status": 409, "error": "you are the last one on call"}

            await conn.execute(
                "UPDATE shifts SET on_call = FALSE WHERE rota_id = %s AND engineer = %s",
                (request["rota_id"], request["engineer"]),
            )
    except SerializationFailure:
        return {"status": 409, "error": "your shift was just changed, please try again"}
    finally:
        await conn.set_isolation_level(None)

    return {"status": 200}


async def join(conn, request):
    """Go on call."""
    await conn.execute(
        "UPDATE shifts SET on_call = TRUE WHERE rota_id = %s AND engineer = %s",
        (request["rota_id"], request["engineer"]),
    )
    return {"status": 200}
