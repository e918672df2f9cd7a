"""Marketplace checkout: discount, tax and shares."""

DISCOUNT = 0.10
TAX = 0.20
SHARES = {"seller": 0.80, "platform": 0.15, "affiliate": 0.05}


async def checkout(conn, request):
    """Create the order with its lines and split the total."""
    async with conn.transaction():
        basket = await get_basket(conn, request["basket_id"])
        if not basket:
            return {"status": 404, "error": "the basket is empty"}

        total = 0.0
        lines = []
        for product_id, quantity, price_cents in basket:
            amount = price_cents / 100 * quantity
            # Discount first, then tax.
            amount = amount * (1 - DISCOUNT) * (1 + TAX)
            total += amount
            # Amounts on the invoice have two decimals.
            lines.append((product_id, quantity, round(amount, 2)))
        total = round(total, 2)

        cur = await conn.execute(
            "INSERT INTO orders (total_cents) VALUES (%s) RETURNING id",
            (to_cents(total),),
        )
        (order_id,) = await cur.fetchone()

        for product_id, quantity, amount in lines:
            await conn.execute(
                "INSERT INTO order_lines (order_id, product_id, quantity, amount_cents) VALUES (%s, %s, %s, %s)",
                (order_id, product_id, quantity, to_cents(amount)),
            )
        for payee, share in SHARES.items():
            await conn.execute(
                "INSERT INTO payouts (order_id, payee, amount_cents) VALUES (%s, %s, %s)",
                (order_id, payee, to_cents(round(total * share, 2))),
            )

    return {"status": 201, "order_id": order_id, "total": total}


async def get_basket(conn, basket_id):
    """Product, quantity and price of each line."""
    cur = await conn.execute(
        "SELECT l.product_id, l.quantity, p.price_cents"
        " FROM basket_lines l JOIN products p ON p.id = l.product_id"
        " WHERE l.basket_id = %s ORDER BY l.id",
        (basket_id,),
    )
    return await cur.fetchall()


def to_cents(amount):
    """Euros to whole cents, without float noise."""
    return int(round(amount * 100))
