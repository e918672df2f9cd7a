"""Support agents. The telephone system puts calls through every four seconds, so they all look things up at the same moment."""

import asyncio
import random
import time

EVERY_S = 4.0
# So long after the full minute.
FIRST_S = 2.0


async def agent(app, client):
    while True:
        since = (time.time() - FIRST_S) % EVERY_S
        await asyncio.sleep(EVERY_S - since + random.uniform(0, 0.02))
        chance = random.random()
        if chance < 0.5:
            await app.call("order_page", {"order_id": random.randint(1, 200)})
        elif chance < 0.95:
            await app.call("find_orders", {"email": f"customer{random.randint(1, 200)}@example.com"})
        else:
            # A reseller, with more orders than all the others.
            await app.call("find_orders", {"email": "orders@reseller.example"})
