"""Marketplace checkout: amounts stay exact until one function makes cents of them."""

from dataclasses import dataclass

DISCOUNT_PERCENT = 10
TAX_PERCENT = 20
SHARES_PERCENT = {"seller": 80, "platform": 15, "affiliate": 5}


@dataclass(frozen=True)
class Exact:
    """An amount as a whole number of parts of a cent. It can be added and compared, but neither stored nor shown."""

    parts: int
    per_cent: int = 10_000

    def __add__(self, other):
        assert self.per_cent == other.per_cent, "amounts of one list share their unit"
        return Exact(self.parts + other.parts, self.per_cent)

    def nearest_cents(self):
        """Rounded half up."""
        return (2 * self.parts + self.per_cent) // (2 * self.per_cent)


def to_cents(amounts):
    """The only place where money is rounded.

    It rounds running totals and gives each amount the difference to the one before. Every amount is
    less than a cent from its exact value, and together they are the rounded total, always.
    """
    cents = []
    running = None
    before = 0
    for amount in amounts:
        running = amount if running is None else running + amount
        until_here = running.nearest_cents()
        cents.append(until_here - before)
        before = until_here
    return cents


async def checkout(conn, request):
    async with conn.transaction():
        basket = await read_basket(conn, request["basket_id"])
        if not basket:
            return {"status": 404, "error": "the basket is empty"}
        exact_lines = [
            Exact(price_cents * quantity * (100 - DISCOUNT_PERCENT) * (100 + TAX_PERCENT))
            for _, quantity, price_cents in basket
        ]

        amounts = to_cents(exact_lines)
        total_cents = sum(amounts)
        shares = to_cents([Exact(total_cents * percent, per_cent=100) for percent in SHARES_PERCENT.values()])
        lines = [(product_id, quantity, amount) for (product_id, quantity, _), amount in zip(basket, amounts)]
        order_id = await save(conn, total_cents, lines, dict(zip(SHARES_PERCENT, shares)))

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
