"""Checkout. Each step is a span with its time and its end; all spans of a request carry its trace id, here and in other services."""

import json
import logging
import secrets
import time
from contextlib import asynccontextmanager

log = logging.getLogger("checkout")
log.setLevel(logging.INFO)

TIMEOUT_S = 3.0


class Trace:
    def __init__(self):
        self.id = secrets.token_hex(16)
        self.current = None

    @asynccontextmanager
    async def span(self, name, **fields):
        span = {"span": name, "trace_id": self.id, "span_id": secrets.token_hex(8), "parent_id": self.current, **fields}
        parent, self.current = self.current, span["span_id"]
        begun = time.monotonic()
        try:
            yield span
        except Exception as error:
            span["error"] = f"{type(error).__name__}: {error}"
            raise
        finally:
            self.current = parent
            span["ms"] = round((time.monotonic() - begun) * 1000)
            log.log(logging.ERROR if "error" in span else logging.INFO, "%s", json.dumps(span))

    async def post(self, http, service, path, body):
        async with self.span(f"POST {service}", service=service) as span:
            # W3C Trace Context: the other service's spans become children of this one.
            headers = {"traceparent": f"00-{self.id}-{span['span_id']}-01"}
            response = await http.post(f"http://{service}/{path}", json=body, headers=headers, timeout=TIMEOUT_S)
            return response.raise_for_status()


async def checkout(http, pool, request):
    cart_id = request["cart_id"]
    trace = Trace()
    try:
        async with trace.span("checkout", cart_id=cart_id):
            await trace.post(http, "stock", "reservations", {"cart": cart_id})
            await trace.post(http, "billing", "charges", {"cart": cart_id})
            await trace.post(http, "delivery", "bookings", {"cart": cart_id})
            async with trace.span("INSERT orders"):
                async with pool.connection() as conn:
                    await conn.execute(
                        "INSERT INTO orders (cart_id, amount_cents) VALUES (%s, %s)",
                        (cart_id, request["amount_cents"]),
                    )
    except Exception:
        return {"status": 502, "error": "Something went wrong.", "request_id": trace.id}
    return {"status": 201}
