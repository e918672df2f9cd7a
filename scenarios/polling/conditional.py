"""Live ticker: pages ask as before. One read serves all who ask within half a second, and who has it already gets no copy."""

import asyncio
import time

FRESH_S = 0.5

# What this process knows of each match.
_kept = {}


class Kept:
    def __init__(self):
        self.read_at = float("-inf")
        self.body = None
        self.reading = asyncio.Lock()


async def report(conn, request):
    cur = await conn.execute(
        "INSERT INTO match_events (match_id, kind, side, text) VALUES (%s, %s, %s, %s) RETURNING id",
        (request["match_id"], request["kind"], request["side"], request["text"]),
    )
    (event_id,) = await cur.fetchone()
    return {"status": 201, "event_id": event_id}


async def ticker(pool, request):
    body = await current(pool, request["match_id"])
    if body is None:
        return {"status": 404, "error": "no such match"}
    if request.get("if_none_match") == body["etag"]:
        return {"status": 304}
    return {"status": 200, **body}


async def current(pool, match_id):
    kept = _kept.setdefault(match_id, Kept())
    if time.monotonic() - kept.read_at >= FRESH_S:
        # One reads, the others wait for what it brings.
        async with kept.reading:
            if time.monotonic() - kept.read_at >= FRESH_S:
                begun = time.monotonic()
                kept.body = await read(pool, match_id)
                # As old as the question, not as the answer.
                kept.read_at = begun
    return kept.body


async def read(pool, match_id):
    async with pool.connection() as conn:
        cur = await conn.execute("SELECT home, away FROM matches WHERE id = %s", (match_id,))
        match = await cur.fetchone()
        if match is None:
            return None
        cur = await conn.execute(
            "SELECT side, COUNT(*) FROM match_events WHERE match_id = %s AND kind = 'goal' GROUP BY side",
            (match_id,),
        )
        goals = dict(await cur.fetchall())
        cur = await conn.execute(
            "SELECT id, text, extract(epoch FROM at) FROM match_events WHERE match_id = %s ORDER BY id DESC LIMIT 20",
            (match_id,),
        )
        events = [{"id": id, "text": text, "at": float(at)} for id, text, at in await cur.fetchall()]
    return {
        "etag": str(events[0]["id"]) if events else "none",
        "home": match[0],
        "away": match[1],
        "score": [goals.get("home", 0), goals.get("away", 0)],
        "events": events,
    }
