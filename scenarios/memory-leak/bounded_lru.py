"""Recommendations: the pages asked for last are kept, so many and so long."""

import time
from collections import OrderedDict

from psycopg.rows import dict_row

# Pages × size of a page is the memory this can ever take: 200 × some 20 KB = 4 MB in each process.
PAGES_MAX = 200
FRESH_S = 60


class LruCache:
    """The entries used last. The oldest makes room, and an entry that is too old counts as none."""

    def __init__(self, size, fresh_s):
        self.size = size
        self.fresh_s = fresh_s
        self.entries = OrderedDict()

    def get(self, key):
        entry = self.entries.get(key)
        if entry is None:
            return None
        value, good_until = entry
        if good_until < time.monotonic():
            del self.entries[key]
            return None
        self.entries.move_to_end(key)
        return value

    def put(self, key, value):
        self.entries[key] = (value, time.monotonic() + self.fresh_s)
        self.entries.move_to_end(key)
        while len(self.entries) > self.size:
            self.entries.popitem(last=False)


_pages = LruCache(PAGES_MAX, FRESH_S)


async def start_page(pool, request):
    customer_id = request["customer_id"]

    products = _pages.get(customer_id)
    if products is None:
        products = await recommended_for(pool, customer_id)
        _pages.put(customer_id, products)
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
