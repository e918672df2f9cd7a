"""Shop front: the bestsellers of a category. Ranking them is slow, so the result is cached."""

import json

TTL_S = 10


async def bestsellers(conn, cache, http, request):
    category_id = request["category_id"]

    cur = await conn.execute("SELECT title FROM categories WHERE id = %s", (category_id,))
    category = await cur.fetchone()
    if category is None:
        return {"status": 404, "error": "no such category"}

    # Cache-aside: look in the cache first and compute only on a miss.
    key = f"bestsellers:{category_id}"
    cached = await cache.get(key)
    if cached is not None:
        ranking = json.loads(cached)
    else:
        ranking = await compute_ranking(http, category_id)
        await cache.set(key, json.dumps(ranking), ex=TTL_S)

    return {"status": 200, "title": category[0], "ranking": ranking}


async def compute_ranking(http, category_id):
    """Goes through a month of sales; takes the ranking service some hundred milliseconds."""
    response = await http.post("http://ranking/rankings", json={"category_id": category_id}, timeout=20)
    response.raise_for_status()
    return response.json()
