"""Marketplace checkout: the total is rounded once, then dealt out to the last cent by largest remainder."""

DISCOUNT_PERCENT = 10
TAX_PERCENT = 20
SHARES_PERCENT = {"seller": 80, "platform": 15, "affiliate": 5}


def divide(numerator, denominator):
    """Rounded half up, in integers."""
    return (2 * numerator + denominator) // (2 * denominator)


def allocate(total_cents, weights):
    """Whole cents in proportion to `weights`, which add up to `total_cents` exactly.

    Everybody gets their share rounded down. The cents left over go, one each, to those who lost most by
    that; among equals to the earlier one, so that the same order is always split the same way.
    """
    whole = sum(weights)
    parts = [total_cents * weight // whole for weight in weights]
    lost = [total_cents * weight % whole for weight in weights]
    left_over = total_cents - sum(parts)
    for place in sorted(range(len(weights)), key=lambda place: -lost[place])[:left_over]:
        parts[place] += 1
    return parts


async def checkout(conn, request):
    async with conn.transaction():
        basket = await read_basket(conn, request["basket_id"])
        if not basket:
            return {"status": 404, "error": "the basket is empty"}
        list_amounts = [price_cents * quantity for _, quantity, price_cents in basket]

        total_cents = divide(sum(list_amounts) * (100 - DISCOUNT_PERCENT) * (100 + TAX_PERCENT), 100 * 100)
        amounts = allocate(total_cents, list_amounts)
        parts = dict(zip(SHARES_PERCENT, allocate(total_cents, list(SHARES_PERCENT.values()))))
        lines = [(product_id, quantity, amount) for (product_id, quantity, _), amount in zip(basket, amounts)]
        order_id = await save(conn, total_cents, lines, parts)

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
