"""Live ticker: reporters write what happens, fans' pages ask for it every second."""


async def report(conn, request):
    """A reporter has seen something."""
    cur = await conn.execute(
        "INSERT INTO match_events (match_id, kind, side, text) VALUES (%s, %s, %s, %s) RETURNING id",
        (request["match_id"], request["kind"], request["side"], request["text"]),
    )
    (event_id,) = await cur.fetchone()
    return {"status": 201, "event_id": event_id}


async def ticker(conn, request):
    """All a fan's page shows. The page calls this once a second, so it is always up to date."""
    match_id = request["match_id"]

    cur = await conn.execute("SELECT home, away FROM matches WHERE id = %s", (match_id,))
    match = await cur.fetchone()
    if match is None:
        return {"status": 404, "error": "no such match"}
    home, away = match

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
        "status": 200,
        "home": home,
        "away": away,
        "score": [goals.get("home", 0), goals.get("away", 0)],
        "events": events,
    }
