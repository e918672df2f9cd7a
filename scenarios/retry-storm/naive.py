"""Checkout: ask the pricing service for a quote. It hiccups now and then, so every layer is made robust."""

import logging

import httpx

log = logging.getLogger("checkout")

TIMEOUT_S = 0.3
ATTEMPTS = 3


class PricingError(Exception):
    """The pricing service could not give a quote."""


class PricingClient:
    """Thin wrapper around the pricing API. Retries transient errors."""

    def __init__(self, http):
        self.http = http

    async def quote(self, cart):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = await self.http.post("http://pricing/quotes", json={"cart": cart}, timeout=TIMEOUT_S)
                response.raise_for_status()
                return response.json()
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS:
                    raise PricingError("no quote") from error


class CartService:
    """Business logic around carts. A quote that could not be had is worth another try."""

    def __init__(self, pricing):
        self.pricing = pricing

    async def priced(self, cart):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self.pricing.quote(cart)
            except PricingError:
                if attempt == ATTEMPTS:
                    raise


async def checkout(pool, http, request):
    carts = CartService(PricingClient(http))

    for attempt in range(1, ATTEMPTS + 1):
        try:
            quote = await carts.priced(request["cart"])
            break
        except PricingError:
            log.warning("checkout attempt %d of %d failed", attempt, ATTEMPTS)
    else:
        return {"status": 503, "error": "pricing is not available"}

    async with pool.connection() as conn:
        await conn.execute("INSERT INTO quotes (cart, quote) VALUES (%s, %s)", (request["cart"], quote["id"]))
    return {"status": 200, "quote": quote["id"]}
