"""Checkout: one layer retries, a few times, later and later, and never at the same time as the others."""

import asyncio
import logging
import random

import httpx

log = logging.getLogger("checkout")

TIMEOUT_S = 0.3
ATTEMPTS = 3
BASE_DELAY_S = 0.5
LONGEST_DELAY_S = 4.0


class PricingError(Exception):
    """The pricing service could not give a quote."""


class PricingClient:
    """The only place that retries: it knows which failures may pass. The layers above just fail."""

    def __init__(self, http):
        self.http = http

    async def quote(self, cart):
        for attempt in range(ATTEMPTS):
            try:
                response = await self.http.post("http://pricing/quotes", json={"cart": cart}, timeout=TIMEOUT_S)
                response.raise_for_status()
                return response.json()
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS - 1:
                    raise PricingError("no quote") from error
                # Full jitter: anywhere between now and the doubled delay, so that a burst is spread instead of repeated.
                await asyncio.sleep(random.uniform(0, min(LONGEST_DELAY_S, BASE_DELAY_S * 2**attempt)))


async def checkout(pool, http, request):
    try:
        quote = await PricingClient(http).quote(request["cart"])
    except PricingError:
        return {"status": 503, "error": "pricing is not available"}

    async with pool.connection() as conn:
        await conn.execute("INSERT INTO quotes (cart, quote) VALUES (%s, %s)", (request["cart"], quote["id"]))
    return {"status": 200, "quote": quote["id"]}
