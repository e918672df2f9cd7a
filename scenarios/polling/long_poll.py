"""Live ticker: a page's question waits until there is an answer it does not know. One task in each process looks for news."""

import asyncio

LOOK_EVERY_S = 0.2
PATIENCE_S = 10.0

# What this process knows of each match, and who waits for more.
_rooms = {}
_looking = None


class Room:
    def __init__(self):
        self.newest = 0
        self.body = None
        self.news = asyncio.Event()


async def report(conn, request):
    cur = await conn.execute(
        "INSERT INTO match_events (match_id, kind, side, text) VALUES (%s, %s, %s, %s) RETURNING id",
        (request["match_id"], request["kind"], request["side"], request["text"]),
    )
    (event_id,) = await cur.fetchone()
    return {"status": 201, "event_id": event_id}


async def ticker(pool, request):
    match_id = request["match_id"]
    room = _rooms.get(match_id)
    if room is None:
        room = _rooms[match_id] = Room()
        room.body = await read(pool, match_id)
        if room.body is None:
            del _rooms[match_id]
            return {"status": 404, "error": "no such match"}
    look_for_news(pool)

    if room.body is None or request.get("if_none_match") == room.body["etag"]:
        try:
            # Not a connection is held meanwhile, and no statement runs for this page.
            await asyncio.wait_for(room.news.wait(), PATIENCE_S)
        except TimeoutError:
            return {"status": 304, "poll_after_s": 0}
    return {"status": 200, "poll_after_s": 0, **room.body}


def look_for_news(pool):
    """Starts the task that looks, unless it runs."""
    global _looking
    if _looking is None or _looking.done():
        _looking = asyncio.create_task(look(pool))


async def look(pool):
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        async with pool.connection() as conn:
            # One statement for all matches and all fans.
            cur = await conn.execute("SELECT match_id, MAX(id) FROM match_events GROUP BY match_id")
            newest = dict(await cur.fetchall())
        for match_id, room in list(_rooms.items()):
            if newest.get(match_id, 0) > room.newest:
                room.newest = newest[match_id]
                room.body = await read(pool, match_id)
                waiting, room.news = room.news, asyncio.Event()
                waiting.set()


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
