"""Gift cards: pay part of an order with a card's balance."""

POINTS_PER_REDEMPTION = 10


async def redeem(conn, request):
    """Take an amount off a gift card."""
    card_id = request["card_id"]
    customer_id = request["customer_id"]
    amount_cents = request["amount_cents"]

    # All or nothing: balance, redemption, points and audit entry belong together.
    async with conn.transaction():
        cur = await conn.execute(
            "SELECT balance_cents FROM gift_cards WHERE id = %s",
            (card_id,),
        )
        card = await cur.fetchone()
        if card is None:
            return {"status": 404, "error": "no such gift card"}
        (balance_cents,) = card

        if balance_cents < amount_cents:
            return {"status": 409, "error": "not enough left on this card"}

        new_balance_cents = balance_cents - amount_cents
        await conn.execute(
            "UPDATE gift_cards SET balance_cents = %s WHERE id = %s",
            (new_balance_cents, card_id),
        )
        await conn.execute(
            "INSERT INTO redemptions (card_id, customer_id, amount_cents, balance_after_cents)"
            " VALUES (%s, %s, %s, %s)",
            (card_id, customer_id, amount_cents, new_balance_cents),
        )
        await conn.execute(
            "UPDATE customers SET points = points + %s WHERE id = %s",
            (POINTS_PER_REDEMPTION, customer_id),
        )
        await conn.execute(
            "INSERT INTO audit_log (customer_id, action) VALUES (%s, 'gift card redeemed')",
            (customer_id,),
        )

    return {"status": 200, "balance_cents": new_balance_cents}
