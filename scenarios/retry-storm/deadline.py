"""Checkout: the customer's patience is one number that travels with the request. Nobody works on what nobody waits for."""

import asyncio
import logging
import random
import time

import httpx

log = logging.getLogger("checkout")

PATIENCE_S = 1.5
TIMEOUT_S = 0.3
BASE_DELAY_S = 0.1


class PricingError(Exception):
    """The pricing service could not give a quote."""


class PricingClient:
    def __init__(self, http):
        self.http = http

    async def quote(self, cart, deadline):
        """Tries until the deadline. Each call says how long it will be waited for; pricing drops what it cannot begin in time."""
        attempt = 0
        while (left_s := deadline - time.monotonic()) > 0:
            timeout_s = min(TIMEOUT_S, left_s)
            try:
                response = await self.http.post(
                    "http://pricing/quotes",
                    json={"cart": cart},
                    headers={"X-Timeout-Ms": str(int(timeout_s * 1000))},
                    timeout=timeout_s,
                )
                response.raise_for_status()
                return response.json()
            except httpx.HTTPError as error:
                log.info("attempt %d: %r", attempt + 1, error)
            await asyncio.sleep(random.uniform(0, BASE_DELAY_S * 2**attempt))
            attempt += 1
        raise PricingError("no quote in time")


async def checkout(pool, http, request):
    deadline = time.monotonic() + PATIENCE_S
    try:
        quote = await PricingClient(http).quote(request["cart"], deadline)
    except PricingError:
        return {"status": 503, "error": "pricing is not available"}

    async with pool.connection() as conn:
        await conn.execute("INSERT INTO quotes (cart, quote) VALUES (%s, %s)", (request["cart"], quote["id"]))
    return {"status": 200, "quote": quote["id"]}
