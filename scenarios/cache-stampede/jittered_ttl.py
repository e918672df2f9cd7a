"""Shop front: keys expire at different times, and within a process only one request computes a key."""

import asyncio
import json
import random
from collections import defaultdict

TTL_S = 10
JITTER = 0.3

_computing = defaultdict(asyncio.Lock)


async def bestsellers(pool, cache, http, request):
    category_id = request["category_id"]

    async with pool.connection() as conn:
        cur = await conn.execute("SELECT title FROM categories WHERE id = %s", (category_id,))
        category = await cur.fetchone()
    if category is None:
        return {"status": 404, "error": "no such category"}

    key = f"bestsellers:{category_id}"
    cached = await cache.get(key)
    if cached is None:
        # At the most one computation for each key and process. Who waited here looks again first.
        async with _computing[key]:
            cached = await cache.get(key)
            if cached is None:
                cached = json.dumps(await compute_ranking(http, category_id))
                # What was filled together must not expire together.
                await cache.set(key, cached, ex=TTL_S * random.uniform(1 - JITTER, 1 + JITTER))

    return {"status": 200, "title": category[0], "ranking": json.loads(cached)}


async def compute_ranking(http, category_id):
    response = await http.post("http://ranking/rankings", json={"category_id": category_id}, timeout=20)
    response.raise_for_status()
    return response.json()
