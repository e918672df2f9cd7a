"""The shop's orders. A reader says up to which place in the log it must see; the replica answers once it has come so far."""

import asyncio
import time

PATIENCE_S = 0.25
LOOK_EVERY_S = 0.03


async def place_order(pool, request):
    async with pool.connection() as conn:
        cur = await conn.execute(
            "INSERT INTO orders (customer_id, cart_id, amount_cents) VALUES (%s, %s, %s) RETURNING id",
            (request["customer_id"], request["cart_id"], request["amount_cents"]),
        )
        (order_id,) = await cur.fetchone()
        await conn.commit()
        # Asked for after the commit, so the order lies before it.
        cur = await conn.execute("SELECT pg_current_wal_lsn()")
        (position,) = await cur.fetchone()
    return {"status": 201, "order_id": order_id, "go_to": "/my-orders", "cookie": {"position": str(position)}}


async def my_orders(pool, replica, request):
    """The customer's latest orders, their own among them."""
    position = (request.get("cookie") or {}).get("position")
    give_up_at = time.monotonic() + PATIENCE_S

    while time.monotonic() < give_up_at:
        async with replica.connection() as conn:
            if position is None or await has_replayed(conn, position):
                return await latest_orders(conn, request["customer_id"])
        # Without the connection: whoever waits must not keep others from reading.
        await asyncio.sleep(LOOK_EVERY_S)

    async with pool.connection() as conn:
        return await latest_orders(conn, request["customer_id"])


async def has_replayed(conn, position):
    cur = await conn.execute("SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), %s) >= 0", (position,))
    (there,) = await cur.fetchone()
    return there


async def latest_orders(conn, customer_id):
    cur = await conn.execute(
        "SELECT id, cart_id, amount_cents FROM orders WHERE customer_id = %s ORDER BY id DESC LIMIT 20",
        (customer_id,),
    )
    rows = await cur.fetchall()
    orders = [{"id": id, "cart_id": cart_id, "amount_cents": cents} for id, cart_id, cents in rows]
    return {"status": 200, "orders": orders}
