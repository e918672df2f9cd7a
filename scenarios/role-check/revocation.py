"""Orders: a token's role counts only while the token has not been revoked, and only if it can be true."""

from psycopg.rows import dict_row


async def get_order(conn, request):
    user_id = request["user_id"]

    # The token carries the version that was current when it was issued. Raising users.token_version, as
    # "log out everywhere", a role change and somebody's last day do, makes every older token void at once.
    cur = await conn.execute("SELECT role, token_version FROM users WHERE id = %s", (user_id,))
    user = await cur.fetchone()
    if user is None:
        return {"status": 401, "error": "please log in"}
    role, token_version = user
    if request["token_version"] != token_version or request["role"] != role:
        return {"status": 401, "error": "please log in again"}

    if role == "support":
        order = await find_order(conn, request["order_id"])
    else:
        order = await find_own_order(conn, request["order_id"], user_id)
    if order is None:
        return {"status": 404, "error": "no such order"}

    await conn.execute(
        "INSERT INTO order_views (user_id, order_id) VALUES (%s, %s)",
        (user_id, order["id"]),
    )
    return {"status": 200, "order": order}


async def find_order(conn, order_id):
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, customer_id, address, amount_cents FROM orders WHERE id = %s",
        (order_id,),
    )
    return await cur.fetchone()


async def find_own_order(conn, order_id, customer_id):
    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, customer_id, address, amount_cents FROM orders WHERE id = %s AND customer_id = %s",
        (order_id, customer_id),
    )
    return await cur.fetchone()
