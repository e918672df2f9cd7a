"""Checkout: retries are paid from a budget that successes fill, so they can never be more than a small share of the load."""

import logging

import httpx

log = logging.getLogger("checkout")

TIMEOUT_S = 0.3
ATTEMPTS = 3


class PricingError(Exception):
    """The pricing service could not give a quote."""


class RetryBudget:
    """A retry costs 1, a success earns `ratio`. Alone failures bring a few retries; an outage brings none."""

    def __init__(self, ratio, most):
        self.ratio = ratio
        self.most = most
        self.balance = most

    def earn(self):
        self.balance = min(self.most, self.balance + self.ratio)

    def spend(self):
        if self.balance < 1:
            return False
        self.balance -= 1
        return True


# One for each process and for each service that is called.
pricing_budget = RetryBudget(ratio=0.1, most=10)


class PricingClient:
    def __init__(self, http):
        self.http = http

    async def quote(self, cart):
        for attempt in range(ATTEMPTS):
            try:
                response = await self.http.post("http://pricing/quotes", json={"cart": cart}, timeout=TIMEOUT_S)
                response.raise_for_status()
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS - 1 or not pricing_budget.spend():
                    raise PricingError("no quote") from error
            else:
                pricing_budget.earn()
                return response.json()


async def checkout(pool, http, request):
    try:
        quote = await PricingClient(http).quote(request["cart"])
    except PricingError:
        return {"status": 503, "error": "pricing is not available"}

    async with pool.connection() as conn:
        await conn.execute("INSERT INTO quotes (cart, quote) VALUES (%s, %s)", (request["cart"], quote["id"]))
    return {"status": 200, "quote": quote["id"]}
