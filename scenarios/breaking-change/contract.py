"""Orders API: what each client relies on is written down and checked before this module serves anything."""

from contextlib import asynccontextmanager

from psycopg.rows import dict_row

# Written by the teams who call us, kept in this repository, run in its CI and here at start-up.
CONTRACTS = {
    "app 4": {"customer_name": str, "total_cents": int},
    "app 5": {"customer": {"name": str}, "total": {"amount_cents": int, "currency": str}},
}


def show(order):
    return {
        "id": order["id"],
        "customer": {"name": order["customer_name"]},
        "total": {"amount_cents": order["total_cents"], "currency": "EUR"},
        "state": order["status"],
        "customer_name": order["customer_name"],
        "total_cents": order["total_cents"],
    }


def missing(shape, answer, path=""):
    """Where `answer` lacks what `shape` asks for. More than it asks for is fine."""
    for name, wanted in shape.items():
        if name not in answer:
            yield f"{path}{name} is missing"
        elif isinstance(wanted, dict):
            yield from missing(wanted, answer[name], f"{path}{name}.")
        elif not isinstance(answer[name], wanted):
            yield f"{path}{name} is no {wanted.__name__}"


def verify_contracts():
    sample = show({"id": 1, "customer_name": "Ada", "total_cents": 1250, "status": "paid"})
    broken = [f"{client}: {gap}" for client, shape in CONTRACTS.items() for gap in missing(shape, sample)]
    if broken:
        # Take a field out of show and try to deploy: the old code stays.
        raise AssertionError("contracts broken: " + "; ".join(broken))


verify_contracts()


async def get_order(pool, request):
    order = await fetch_order(pool, request["order_id"])
    if order is None:
        return {"status": 404, "error": "no such order"}
    return {"status": 200, **show(order)}


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
