"""Flash sale: read without a lock, write only if nobody wrote in between."""

import asyncio
import random

ATTEMPTS = 8
BASE_DELAY_S = 0.002
LONGEST_DELAY_S = 0.1


async def buy(conn, request):
    for attempt in range(ATTEMPTS):
        answer = await try_to_buy(conn, request)
        if answer is not None:
            return answer
        # Full jitter: buyers who collided once must not collide again in step.
        await asyncio.sleep(random.uniform(0, min(LONGEST_DELAY_S, BASE_DELAY_S * 2**attempt)))
    return {"status": 503, "error": "too many buyers at once, try again"}


async def try_to_buy(conn, request):
    """The answer for the buyer, or None when somebody else changed the product first."""
    product_id = request["product_id"]
    quantity = request["quantity"]

    # READ COMMITTED takes a new snapshot for each statement, so a new attempt sees the new version.
    async with conn.transaction():
        cur = await conn.execute(
            "SELECT price_cents, stock, version FROM products WHERE id = %s",
            (product_id,),
        )
        product = await cur.fetchone()
        if product is None:
            return {"status": 404, "error": "no such product"}
        price_cents, stock, version = product

        if stock < quantity:
            return {"status": 409, "error": "sold out"}

        cur = await conn.execute(
            "UPDATE products SET stock = %s, version = version + 1"
            " WHERE id = %s AND version = %s",
            (stock - quantity, product_id, version),
        )
        if cur.rowcount == 0:
            return None

        cur = await conn.execute(
            "INSERT INTO orders (product_id, customer, quantity, amount_cents)"
            " VALUES (%s, %s, %s, %s) RETURNING id",
            (product_id, request["customer"], quantity, price_cents * quantity),
        )
        (order_id,) = await cur.fetchone()

    return {"status": 201, "order_id": order_id, "amount_cents": price_cents * quantity}
