"""Daily bonus: every customer may claim it once a day."""

from datetime import datetime, timezone


async def claim(conn, request):
    """Give the daily bonus, at most once per day."""
    customer_id = request["customer_id"]

    # Always UTC on the server: no trouble with time zones.
    at = datetime.fromtimestamp(request["at_minute"] * 60, tz=timezone.utc)
    day = at.date().isoformat()

    # The unique constraint on (customer_id, day) makes this safe for concurrent requests.
    cur = await conn.execute(
        "INSERT INTO bonus_claims (customer_id, day, at_minute) VALUES (%s, %s, %s)"
        " ON CONFLICT (customer_id, day) DO NOTHING RETURNING id",
        (customer_id, day, request["at_minute"]),
    )
    if await cur.fetchone() is None:
        return {"status": 409, "error": "already claimed today, come back tomorrow"}

    return {"status": 201, "day": day}
