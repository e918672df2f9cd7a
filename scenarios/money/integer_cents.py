"""Marketplace checkout: whole cents everywhere, rates as whole percent. What is rounded is never computed twice."""

DISCOUNT_PERCENT = 10
TAX_PERCENT = 20
# The seller gets what the others leave, so the parts cannot miss the whole.
FEES_PERCENT = {"platform": 15, "affiliate": 5}


def divide(numerator, denominator):
    """Rounded half up, in integers: no float comes near the money."""
    return (2 * numerator + denominator) // (2 * denominator)


def line_amount(price_cents, quantity):
    # Multiply everything first and divide once: each division loses something.
    return divide(price_cents * quantity * (100 - DISCOUNT_PERCENT) * (100 + TAX_PERCENT), 100 * 100)


def split(total_cents):
    parts = {payee: total_cents * percent // 100 for payee, percent in FEES_PERCENT.items()}
    parts["seller"] = total_cents - sum(parts.values())
    return parts


async def checkout(conn, request):
    async with conn.transaction():
        basket = await read_basket(conn, request["basket_id"])
        if not basket:
            return {"status": 404, "error": "the basket is empty"}
        lines = [
            (product_id, quantity, line_amount(price_cents, quantity)) for product_id, quantity, price_cents in basket
        ]

        # The total is the sum of what the invoice shows, not a second calculation of the same thing.
        total_cents = sum(amount_cents for _, _, amount_cents in lines)
        order_id = await save(conn, total_cents, lines, split(total_cents))

    return {"status": 201, "order_id": order_id, "total_cents": total_cents}


async def read_basket(conn, basket_id):
    cur = await conn.execute(
        "SELECT l.product_id, l.quantity, p.price_cents"
        " FROM basket_lines l JOIN products p ON p.id = l.product_id"
        " WHERE l.basket_id = %s ORDER BY l.id",
        (basket_id,),
    )
    return await cur.fetchall()


async def save(conn, total_cents, lines, parts):
    cur = await conn.execute("INSERT INTO orders (total_cents) VALUES (%s) RETURNING id", (total_cents,))
    (order_id,) = await cur.fetchone()
    for product_id, quantity, amount_cents in lines:
        await conn.execute(
            "INSERT INTO order_lines (order_id, product_id, quantity, amount_cents) VALUES (%s, %s, %s, %s)",
            (order_id, product_id, quantity, amount_cents),
        )
    for payee, amount_cents in parts.items():
        await conn.execute(
            "INSERT INTO payouts (order_id, payee, amount_cents) VALUES (%s, %s, %s)",
            (order_id, payee, amount_cents),
        )
    return order_id
