"""Shop front: an old ranking is shown at once while one request computes the new one."""

import asyncio
import json
import time

FRESH_S = 10
# How old a ranking may be shown when a new one cannot be had.
STALE_S = 300
LOCK_S = 5
LOOK_AGAIN_S = 0.05


async def bestsellers(pool, cache, http, request):
    category_id = request["category_id"]

    async with pool.connection() as conn:
        cur = await conn.execute("SELECT title FROM categories WHERE id = %s", (category_id,))
        category = await cur.fetchone()
    if category is None:
        return {"status": 404, "error": "no such category"}

    key = f"bestsellers:{category_id}"
    entry = await cache.get(key)
    while entry is None:
        # Nothing to show yet, not even something old: wait for whoever computes, or be the one.
        if await refresh(cache, http, key, category_id) is False:
            await asyncio.sleep(LOOK_AGAIN_S)
        entry = await cache.get(key)

    entry = json.loads(entry)
    if entry["fresh_until"] < time.time():
        # This request does not wait for it.
        asyncio.create_task(refresh(cache, http, key, category_id))

    return {"status": 200, "title": category[0], "ranking": entry["ranking"]}


async def refresh(cache, http, key, category_id):
    """False when somebody else is at it already."""
    if not await cache.set(f"{key}:lock", "1", nx=True, ex=LOCK_S):
        return False
    ranking = await compute_ranking(http, category_id)
    entry = {"ranking": ranking, "fresh_until": time.time() + FRESH_S}
    await cache.set(key, json.dumps(entry), ex=STALE_S)
    return True


async def compute_ranking(http, category_id):
    response = await http.post("http://ranking/rankings", json={"category_id": category_id}, timeout=20)
    response.raise_for_status()
    return response.json()
