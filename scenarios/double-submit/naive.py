"""Checkout: pay for a cart."""

from payments import PaymentDeclined


async def pay(pool, payments, request):
    """Charge the card for a cart and create the order."""
    cart_id = request["cart_id"]

    async with pool.connection() as conn:
        cur = await conn.execute(
            "SELECT amount_cents, status FROM carts WHERE id = %s",
            (cart_id,),
        )
        cart = await cur.fetchone()
    if cart is None:
        return {"status": 404, "error": "no such cart"}
    amount_cents, status = cart

    # The customer may have pressed the button twice: never charge a cart that is paid.
    if status == "paid":
        return {"status": 200, "message": "this cart is already paid"}

    # No connection is held while we wait for the gateway.
    try:
        charge = await payments.charge(
            amount_cents=amount_cents, card=request["card"], reference=f"cart-{cart_id}"
        )
    except PaymentDeclined:
        return {"status": 402, "error": "card declined"}

    async with pool.connection() as conn, conn.transaction():
        await conn.execute("UPDATE carts SET status = 'paid' WHERE id = %s", (cart_id,))
        cur = await conn.execute(
            "INSERT INTO orders (cart_id, amount_cents, charge_id) VALUES (%s, %s, %s) RETURNING id",
            (cart_id, amount_cents, charge["id"]),
        )
        (order_id,) = await cur.fetchone()

    return {"status": 201, "order_id": order_id, "amount_cents": amount_cents}
