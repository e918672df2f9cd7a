"""Checkout. Each request leaves one line, and everything that is known of it is in there."""

import json
import logging
import time
import uuid

log = logging.getLogger("checkout")
log.setLevel(logging.INFO)

TIMEOUT_S = 3.0


class Event:
    """What one request has to tell. It is filled on the way and written at the end, whatever the end is."""

    def __init__(self, name, **fields):
        self.fields = {"event": name, "trace_id": uuid.uuid4().hex, "outcome": "ok", "calls": [], **fields}
        self.begun = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if error is not None:
            self.fields["outcome"] = "failed"
            self.fields["error"] = f"{kind.__name__}: {error}"
        self.fields["ms"] = round((time.monotonic() - self.begun) * 1000)
        level = logging.INFO if error is None else logging.ERROR
        log.log(level, "%s", json.dumps(self.fields))
        return False

    async def post(self, http, service, path, body):
        """A call to another service, noted with its time and its end."""
        begun = time.monotonic()
        error = None
        try:
            headers = {"X-Request-Id": self.fields["trace_id"]}
            response = await http.post(f"http://{service}/{path}", json=body, headers=headers, timeout=TIMEOUT_S)
            return response.raise_for_status()
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
            raise
        finally:
            ms = round((time.monotonic() - begun) * 1000)
            self.fields["calls"].append({"service": service, "ms": ms, "error": error})


async def checkout(http, pool, request):
    cart_id = request["cart_id"]
    try:
        with Event("checkout", cart_id=cart_id, amount_cents=request["amount_cents"]) as event:
            await event.post(http, "stock", "reservations", {"cart": cart_id})
            await event.post(http, "billing", "charges", {"cart": cart_id})
            await event.post(http, "delivery", "bookings", {"cart": cart_id})
            async with pool.connection() as conn:
                await conn.execute(
                    "INSERT INTO orders (cart_id, amount_cents) VALUES (%s, %s)", (cart_id, request["amount_cents"])
                )
    except Exception:
        # The number is what the customer can quote, and what the line can be found by.
        return {"status": 502, "error": "Something went wrong.", "request_id": event.fields["trace_id"]}
    return {"status": 201}
