"""Flash sale: the same steps as before, at SERIALIZABLE, run again when the database says so."""

import asyncio
import random

from psycopg.errors import DeadlockDetected, SerializationFailure

ATTEMPTS = 8
BASE_DELAY_S = 0.002
LONGEST_DELAY_S = 0.1


async def buy(conn, request):
    for attempt in range(ATTEMPTS):
        try:
            return await buy_once(conn, request)
        except (SerializationFailure, DeadlockDetected):
            # The whole transaction is void, what it read included: start again from the first read.
            await asyncio.sleep(random.uniform(0, min(LONGEST_DELAY_S, BASE_DELAY_S * 2**attempt)))
    return {"status": 503, "error": "too many buyers at once, try again"}


async def buy_once(conn, request):
    product_id = request["product_id"]
    quantity = request["quantity"]

    async with conn.transaction():
        # For this transaction only: the next user of the pooled connection gets the default again.
        await conn.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")

        cur = await conn.execute(
            "SELECT price_cents, stock FROM products WHERE id = %s",
            (product_id,),
        )
        product = await cur.fetchone()
        if product is None:
            return {"status": 404, "error": "no such product"}
        price_cents, stock = product

        if stock < quantity:
            return {"status": 409, "error": "sold out"}

        await conn.execute(
            "UPDATE products SET stock = %s WHERE id = %s",
            (stock - quantity, product_id),
        )
        cur = await conn.execute(
            "INSERT INTO orders (product_id, customer, quantity, amount_cents)"
            " VALUES (%s, %s, %s, %s) RETURNING id",
            (product_id, request["customer"], quantity, price_cents * quantity),
        )
        (order_id,) = await cur.fetchone()

    return {"status": 201, "order_id": order_id, "amount_cents": price_cents * quantity}
