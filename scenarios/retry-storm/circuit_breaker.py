"""Checkout: after a row of failures pricing is left alone for a moment; then one call asks whether it is back."""

import logging
import time

import httpx

log = logging.getLogger("checkout")

TIMEOUT_S = 0.3


class PricingError(Exception):
    """The pricing service could not give a quote."""


class CircuitBreaker:
    """Closed: calls pass. Open: they fail at once. Half open: one call passes, and what comes of it decides."""

    def __init__(self, failures_to_open, open_s):
        self.failures_to_open = failures_to_open
        self.open_s = open_s
        self.failures = 0
        self.opened_at = None
        self.probing = False

    def admits(self):
        if self.opened_at is None:
            return True
        if self.probing or time.monotonic() < self.opened_at + self.open_s:
            return False
        self.probing = True
        return True

    def succeeded(self):
        if self.opened_at is not None:
            log.warning("pricing answers again, the circuit is closed")
        self.failures = 0
        self.opened_at = None
        self.probing = False

    def failed(self):
        self.failures += 1
        if self.probing or self.failures >= self.failures_to_open:
            if self.opened_at is None:
                log.error("pricing failed %d times in a row, the circuit is open", self.failures)
            self.opened_at = time.monotonic()
            self.probing = False


# One for each process and for each service that is called.
pricing_breaker = CircuitBreaker(failures_to_open=5, open_s=1.0)


class PricingClient:
    def __init__(self, http):
        self.http = http

    async def quote(self, cart):
        if not pricing_breaker.admits():
            raise PricingError("pricing is down, not asked")
        try:
            response = await self.http.post("http://pricing/quotes", json={"cart": cart}, timeout=TIMEOUT_S)
            response.raise_for_status()
        except httpx.HTTPError as error:
            pricing_breaker.failed()
            raise PricingError("no quote") from error
        pricing_breaker.succeeded()
        return response.json()


async def checkout(pool, http, request):
    try:
        quote = await PricingClient(http).quote(request["cart"])
    except PricingError:
        return {"status": 503, "error": "pricing is not available"}

    async with pool.connection() as conn:
        await conn.execute("INSERT INTO quotes (cart, quote) VALUES (%s, %s)", (request["cart"], quote["id"]))
    return {"status": 200, "quote": quote["id"]}
