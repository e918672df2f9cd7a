"""Shop front: of all who miss the same key, one computes and the others wait for its result."""

import asyncio
import json
import time
import uuid

TTL_S = 10
# Longer than a ranking takes; shorter than anybody wants to wait when its owner has died.
LOCK_S = 5
LOOK_AGAIN_S = 0.05


async def bestsellers(pool, cache, http, request):
    category_id = request["category_id"]

    # Its connection goes back before the wait: waiting must cost no more than memory.
    async with pool.connection() as conn:
        cur = await conn.execute("SELECT title FROM categories WHERE id = %s", (category_id,))
        category = await cur.fetchone()
    if category is None:
        return {"status": 404, "error": "no such category"}

    key = f"bestsellers:{category_id}"
    ranking = await cached_or_computed(cache, key, lambda: compute_ranking(http, category_id))
    return {"status": 200, "title": category[0], "ranking": ranking}


async def cached_or_computed(cache, key, compute):
    give_up_at = time.monotonic() + 2 * LOCK_S
    while time.monotonic() < give_up_at:
        cached = await cache.get(key)
        if cached is not None:
            return json.loads(cached)

        # Set-if-absent is one step of the cache: exactly one process gets True.
        if await cache.set(f"{key}:lock", str(uuid.uuid4()), nx=True, ex=LOCK_S):
            value = await compute()
            await cache.set(key, json.dumps(value), ex=TTL_S)
            # The lock is left to expire. Deleting it could delete the next owner's, and while the value is there nobody asks for it.
            return value

        await asyncio.sleep(LOOK_AGAIN_S)

    # Whoever held the lock failed twice. Better one computation too many than no page.
    return await compute()


async def compute_ranking(http, category_id):
    response = await http.post("http://ranking/rankings", json={"category_id": category_id}, timeout=20)
    response.raise_for_status()
    return response.json()
