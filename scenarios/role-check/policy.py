"""Orders: one function decides who may do what, by the role the database knows."""

from dataclasses import dataclass

from psycopg.rows import class_row, dict_row


@dataclass(frozen=True)
class User:
    id: int
    role: str


async def load_user(conn, user_id):
    """The token says who somebody is. What they may do is looked up."""
    cur = conn.cursor(row_factory=class_row(User))
    await cur.execute("SELECT id, role FROM users WHERE id = %s", (user_id,))
    return await cur.fetchone()


def may_view(user, order):
    """Everything that is not named here is refused."""
    match user.role:
        case "customer":
            return order["customer_id"] == user.id
        case "support":
            return True
        case _:
            return False


async def get_order(conn, request):
    user = await load_user(conn, request["user_id"])
    if user is None:
        return {"status": 401, "error": "please log in"}

    cur = conn.cursor(row_factory=dict_row)
    await cur.execute(
        "SELECT id, customer_id, address, amount_cents FROM orders WHERE id = %s",
        (request["order_id"],),
    )
    order = await cur.fetchone()
    if order is None or not may_view(user, order):
        return {"status": 404, "error": "no such order"}

    await conn.execute(
        "INSERT INTO order_views (user_id, order_id) VALUES (%s, %s)",
        (user.id, order["id"]),
    )
    return {"status": 200, "order": order}
