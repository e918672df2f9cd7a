"""Reporters in the stadiums, and fans with the ticker open."""

import asyncio
import random
import time

LATE_S = 2.5

_reporters = 0


async def reporter(app, client):
    global _reporters
    _reporters += 1
    match_id = _reporters
    while True:
        await asyncio.sleep(random.uniform(1, 5))
        kind = random.choice(["goal", "chance", "chance", "foul", "foul", "card"])
        event = {"match_id": match_id, "kind": kind, "side": random.choice(["home", "away"]), "text": f"{kind}!"}
        await app.call("report", event)


async def fan(app, http, client):
    await asyncio.sleep(random.uniform(0, 1))
    match_id = 1 + client["id"] % _reporters
    etag, newest = None, None
    while True:
        page = await app.call("ticker", {"match_id": match_id, "if_none_match": etag})
        body = page.body if page.status == 200 else {}
        etag = body.get("etag", etag)
        events = body.get("events", [])
        for event in events:
            # What was there when the page was opened is no news.
            if newest is not None and event["id"] > newest and time.time() - event["at"] > LATE_S:
                late = {"reference": f"match {match_id}", "late_s": round(time.time() - event["at"], 1)}
                await http.put(f"http://telemetry/late/{client['id']}-{event['id']}", json=late)
        if events:
            newest = events[0]["id"]
        elif newest is None:
            newest = 0
        # Once a second, unless the server says otherwise.
        await asyncio.sleep((page.body or {}).get("poll_after_s", 1.0))
