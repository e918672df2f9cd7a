"""Gift cards: lock the card, then decide. The card's row is locked last and for as short as can be."""

POINTS_PER_REDEMPTION = 10


class Refused(Exception):
    """The redemption cannot be: everything this transaction did is undone."""

    def __init__(self, status, error):
        super().__init__(error)
        self.status = status


async def redeem(conn, request):
    card_id = request["card_id"]
    customer_id = request["customer_id"]
    amount_cents = request["amount_cents"]

    try:
        async with conn.transaction():
            # Rows of one customer are not contended. What does not need the card's lock is done before it is taken.
            await conn.execute(
                "UPDATE customers SET points = points + %s WHERE id = %s",
                (POINTS_PER_REDEMPTION, customer_id),
            )
            await conn.execute(
                "INSERT INTO audit_log (customer_id, action) VALUES (%s, 'gift card redeemed')",
                (customer_id,),
            )

            # Waits for every earlier redemption of this card and reads what they left. NO KEY: other
            # tables' foreign keys to this row need not wait.
            cur = await conn.execute(
                "SELECT balance_cents FROM gift_cards WHERE id = %s FOR NO KEY UPDATE",
                (card_id,),
            )
            card = await cur.fetchone()
            if card is None:
                raise Refused(404, "no such gift card")
            (balance_cents,) = card
            if balance_cents < amount_cents:
                raise Refused(409, "not enough left on this card")

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
    except Refused as refusal:
        return {"status": refusal.status, "error": str(refusal)}

    return {"status": 200, "balance_cents": new_balance_cents}
