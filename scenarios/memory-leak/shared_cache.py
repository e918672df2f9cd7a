"""Recommendations: the pages live in a cache of their own, which has a limit and throws away what was not used."""

import json

from cache import CacheError
from psycopg.rows import dict_row

FRESH_S = 60


async def start_page(pool, cache, request):
    customer_id = request["customer_id"]
    key = f"start-page:{customer_id}"

    try:
        cached = await cache.get(key)
        if cached is not None:
            return {"status": 200, "products": json.loads(cached)}
    except CacheError:
        # A cache that is away makes the page slower, not unavailable.
        pass

    products = await recommended_for(pool, customer_id)
    try:
        await cache.set(key, json.dumps(products), ex=FRESH_S)
    except CacheError:
        pass
    return {"status": 200, "products": products}


async def recommended_for(pool, customer_id):
    category_id = customer_id % 10 + 1
    async with pool.connection() as conn:
        cur = conn.cursor(row_factory=dict_row)
        await cur.execute(
            "SELECT id, title, price_cents FROM products WHERE category_id = %s ORDER BY id LIMIT 40",
            (category_id,),
        )
        return await cur.fetchall()
