"""Shop: checkouts may use a part of the pool, never all of it."""

import asyncio
import uuid
from contextlib import asynccontextmanager

from payments import PaymentDeclined

# Of the pool's ten connections in a process. Little's law: 8 checkouts a second that hold one for 0.2 s
# need 1.6 on a good day; four leave room for a bad one, and six for everybody else.
CHECKOUTS_AT_ONCE = 4
PATIENCE_S = 0.3

compartment = asyncio.Semaphore(CHECKOUTS_AT_ONCE)


@asynccontextmanager
async def checkout_slot():
    """Raises TimeoutError when all slots stay taken."""
    async with asyncio.timeout(PATIENCE_S):
        await compartment.acquire()
    try:
        yield
    finally:
        compartment.release()


async def product(conn, request):
    cur = await conn.execute(
        "SELECT title, price_cents FROM products WHERE id = %s",
        (request["product_id"],),
    )
    row = await cur.fetchone()
    if row is None:
        return {"status": 404, "error": "no such product"}
    title, price_cents = row
    return {"status": 200, "title": title, "price_cents": price_cents}


async def checkout(pool, payments, request):
    try:
        # First the slot, then the connection. The other way round the wait itself would hold one.
        async with checkout_slot(), pool.connection() as conn:
            return await place_order(conn, payments, request)
    except TimeoutError:
        # Said at once and before anything was charged: the customer can try again.
        return {"status": 429, "error": "too many checkouts, please try again", "retry_after_s": 2}


async def place_order(conn, payments, request):
    reference = str(uuid.uuid4())
    try:
        async with conn.transaction():
            cur = await conn.execute(
                "SELECT price_cents FROM products WHERE id = %s",
                (request["product_id"],),
            )
            (amount_cents,) = await cur.fetchone()
            cur = await conn.execute(
                "INSERT INTO orders (reference, product_id, amount_cents, status)"
                " VALUES (%s, %s, %s, 'paid') RETURNING id",
                (reference, request["product_id"], amount_cents),
            )
            (order_id,) = await cur.fetchone()

            charge = await payments.charge(
                amount_cents=amount_cents, card=request["card"], reference=reference, idempotency_key=reference
            )
            await conn.execute(
                "UPDATE orders SET charge_id = %s WHERE id = %s",
                (charge["id"], order_id),
            )
    except PaymentDeclined:
        return {"status": 402, "error": "card declined"}
    return {"status": 201, "order_id": order_id, "amount_cents": amount_cents}
