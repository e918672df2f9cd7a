"""Gift cards: check and subtract in one statement."""

POINTS_PER_REDEMPTION = 10


class NotEnough(Exception):
    """No such card, or too little on it: everything this transaction did is undone."""


async def redeem(conn, request):
    card_id = request["card_id"]
    customer_id = request["customer_id"]
    amount_cents = request["amount_cents"]

    try:
        async with conn.transaction():
            # First what only this customer's requests touch.
            await conn.execute(
                "UPDATE customers SET points = points + %s WHERE id = %s",
                (POINTS_PER_REDEMPTION, customer_id),
            )
            await conn.execute(
                "INSERT INTO audit_log (customer_id, action) VALUES (%s, 'gift card redeemed')",
                (customer_id,),
            )

            # The comparison and the subtraction see the newest committed balance, also after a wait.
            cur = await conn.execute(
                "UPDATE gift_cards SET balance_cents = balance_cents - %(amount)s"
                " WHERE id = %(card)s AND balance_cents >= %(amount)s"
                " RETURNING balance_cents",
                {"amount": amount_cents, "card": card_id},
            )
            card = await cur.fetchone()
            if card is None:
                raise NotEnough
            (balance_cents,) = card

            await conn.execute(
                "INSERT INTO redemptions (card_id, customer_id, amount_cents, balance_after_cents)"
                " VALUES (%s, %s, %s, %s)",
                (card_id, customer_id, amount_cents, balance_cents),
            )
    except NotEnough:
        return {"status": 409, "error": "no such gift card, or not enough left on it"}

    return {"status": 200, "balance_cents": balance_cents}
