"""Customers: they order, look at "My orders", and order again when nothing is there."""

import asyncio
import random


async def customer(app, client):
    carts = 0
    while True:
        await asyncio.sleep(random.expovariate(1 / 2.5))
        carts += 1
        await buy(app, client["id"], f"{client['id']}-{carts}")


async def buy(app, customer_id, cart_id):
    order = {"customer_id": customer_id, "cart_id": cart_id, "amount_cents": random.randint(500, 20_000)}
    for _ in range(2):
        placed = await app.call("place_order", order)
        if not placed.ok:
            return
        # The browser follows the redirect as soon as the answer is there, with the cookie it was given.
        await asyncio.sleep(random.uniform(0.02, 0.12))
        page = await app.call("my_orders", {"customer_id": customer_id, "cookie": placed.body.get("cookie")})
        if any(shown["cart_id"] == cart_id for shown in page["orders"]):
            return
        # "It did not work." Back to the cart, which is still full.
        await asyncio.sleep(random.uniform(0.8, 1.6))
