"""Checkout: reserve the goods, take the money, book the delivery, save the order."""

TIMEOUT_S = 3.0


async def checkout(http, pool, request):
    cart_id = request["cart_id"]
    print(f"Starting checkout for {cart_id}")

    try:
        print("Reserving stock...")
        response = await http.post("http://stock/reservations", json={"cart": cart_id}, timeout=TIMEOUT_S)
        response.raise_for_status()
        print("Stock reserved")

        print("Charging customer...")
        response = await http.post("http://billing/charges", json={"cart": cart_id}, timeout=TIMEOUT_S)
        response.raise_for_status()
        print("Payment successful")

        print("Booking delivery...")
        response = await http.post("http://delivery/bookings", json={"cart": cart_id}, timeout=TIMEOUT_S)
        response.raise_for_status()
        print("Delivery booked")
    except Exception as error:
        print(f"ERROR: checkout failed: {error}")
        return {"status": 502, "error": "Something went wrong, please try again."}

    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO orders (cart_id, amount_cents) VALUES (%s, %s)", (cart_id, request["amount_cents"])
        )
    print("Checkout complete!")
    return {"status": 201}
