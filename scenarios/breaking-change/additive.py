"""Orders API: new fields beside the old ones. Nothing that was ever answered goes away."""

from contextlib import asynccontextmanager

from psycopg.rows import dict_row


async def get_order(pool, request):
    order = await fetch_order(pool, request["order_id"])
    if order is None:
        return {"status": 404, "error": "no such order"}

    return {
        "status": 200,
        "id": order["id"],
        "customer": {"name": order["customer_name"]},
        "total": {"amount_cents": order["total_cents"], "currency": "EUR"},
        "state": order["status"],
        # For app 4. To be removed when the screens table has seen no version 4 for three months.
        "customer_name": order["customer_name"],
        "total_cents": order["total_cents"],
    }


async def fetch_order(pool, order_id):
    async with pool.connection() as conn:
        cur = conn.cursor(row_factory=dict_row)
        await cur.execute(
            "SELECT id, customer_name, total_cents, status FROM orders WHERE id = %s",
            (order_id,),
        )
        return await cur.fetchone()


# The apps in the field. Version 4 was shipped last year and is on many phones: no deploy reaches it.


async def app_4(pool, request):
    async with screen(pool, version=4):
        order = await get_order(pool, {"order_id": request["order_id"]})
        title = "Order for " + order["customer_name"]
        price = f"{order['total_cents'] / 100:.2f} EUR"
    return {"status": 200, "title": title, "price": price}


async def app_5(pool, request):
    async with screen(pool, version=5):
        order = await get_order(pool, {"order_id": request["order_id"], "api_version": 2})
        title = "Order for " + order["customer"]["name"]
        price = f"{order['total']['amount_cents'] / 100:.2f} {order['total']['currency']}"
    return {"status": 200, "title": title, "price": price}


@asynccontextmanager
async def screen(pool, version):
    """What the apps' crash reporter does."""
    crashed = True
    try:
        yield
        crashed = False
    finally:
        async with pool.connection() as conn:
            await conn.execute("INSERT INTO screens (version, crashed) VALUES (%s, %s)", (version, crashed))
