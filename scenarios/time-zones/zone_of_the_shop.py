"""Daily bonus: a day is what the clock on the shop's wall says."""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo


async def claim(conn, request):
    customer_id = request["customer_id"]

    cur = await conn.execute(
        "SELECT s.zone FROM customers c JOIN shops s ON s.id = c.shop_id WHERE c.id = %s",
        (customer_id,),
    )
    row = await cur.fetchone()
    if row is None:
        return {"status": 404, "error": "no such customer"}
    day = local_day(request["at_minute"], ZoneInfo(row[0])).isoformat()

    cur = await conn.execute(
        "INSERT INTO bonus_claims (customer_id, day, at_minute) VALUES (%s, %s, %s)"
        " ON CONFLICT (customer_id, day) DO NOTHING RETURNING id",
        (customer_id, day, request["at_minute"]),
    )
    if await cur.fetchone() is None:
        return {"status": 409, "error": "already claimed today, come back tomorrow"}

    return {"status": 201, "day": day}


def local_day(at_minute, zone):
    """Moments are stored and passed around in UTC. They become a date here, once, with the zone's name.

    Not with its offset: an offset is right for half a year.
    """
    return datetime.fromtimestamp(at_minute * 60, tz=timezone.utc).astimezone(zone).date()
