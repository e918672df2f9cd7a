"""On-call rota: the same check at SERIALIZABLE, run again when the database finds a conflict."""

import asyncio
import random

from psycopg import IsolationLevel
from psycopg.errors import SerializationFailure

ATTEMPTS = 10
BASE_DELAY_S = 0.005
LONGEST_DELAY_S = 0.2


async def serializable(conn, work):
    """Runs `work` in a SERIALIZABLE transaction, from the start again after each 40001."""
    await conn.set_isolation_level(IsolationLevel.SERIALIZABLE)
    try:
        for attempt in range(ATTEMPTS):
            try:
                async with conn.transaction():
                    return await work()
            except SerializationFailure:
                await asyncio.sleep(random.uniform(0, min(LONGEST_DELAY_S, BASE_DELAY_S * 2**attempt)))
        return {"status": 503, "error": "too many changes at once, try again"}
    finally:
        # The connection goes back to the pool as it was.
        await conn.set_isolation_level(None)


async def leave(conn, request):
    async def work():
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

    return await serializable(conn, work)


async def join(conn, request):
    async def work():
        await conn.execute(
            "UPDATE shifts SET on_call = TRUE WHERE rota_id = %s AND engineer = %s",
            (request["rota_id"], request["engineer"]),
        )
        return {"status": 200}

    # Every writer takes part, or the database does not see the whole picture.
    return await serializable(conn, work)
