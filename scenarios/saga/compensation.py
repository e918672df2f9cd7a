"""Trips: what was booked is cancelled again when a later step fails, the step of unknown outcome included."""

import asyncio
import logging
import random
import uuid

import httpx

log = logging.getLogger("trips")

TIMEOUT_S = 2
ATTEMPTS = 4
STEPS = ("flights", "hotels", "cars")


class Refused(Exception):
    """The service said no. Asking again will not help."""


async def book_trip(pool, http, request):
    trip_id = str(uuid.uuid4())
    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO trips (id, customer, status) VALUES (%s, %s, 'booking')",
            (trip_id, request["customer"]),
        )

    begun = []
    try:
        for service in STEPS:
            # Noted before the call: after a timeout nobody knows whether it was done.
            begun.append(service)
            await reserve(http, service, trip_id, request)
    except (Refused, httpx.HTTPError) as error:
        log.warning("trip %s failed at %s: %s", trip_id, begun[-1], error)
        await set_status(pool, trip_id, "cancelling")
        for service in reversed(begun):
            await cancel(http, service, trip_id)
        await set_status(pool, trip_id, "failed")
        return {"status": 409, "trip_id": trip_id, "error": f"no {begun[-1]} to be had"}

    await set_status(pool, trip_id, "booked")
    return {"status": 201, "trip_id": trip_id}


async def reserve(http, service, trip_id, request):
    """PUT under an id of ours: sent twice it is one booking, and it can be cancelled without having seen an answer."""
    response = await tried(
        lambda: http.put(
            f"http://{service}/bookings/{trip_id}",
            json={"reference": trip_id, "customer": request["customer"], "city": request["city"]},
            timeout=TIMEOUT_S,
        )
    )
    if response.status_code == 409:
        raise Refused(response.json()["error"])
    response.raise_for_status()


async def cancel(http, service, trip_id):
    """DELETE may be repeated, and may come before the PUT it cancels: then that PUT is refused."""
    response = await tried(lambda: http.delete(f"http://{service}/bookings/{trip_id}", timeout=TIMEOUT_S))
    response.raise_for_status()


async def tried(call):
    for attempt in range(ATTEMPTS):
        last = attempt == ATTEMPTS - 1
        try:
            response = await call()
            if response.status_code < 500 or last:
                return response
        except httpx.TransportError:
            if last:
                raise
        await asyncio.sleep(random.uniform(0, 0.2 * 2**attempt))


async def set_status(pool, trip_id, status):
    async with pool.connection() as conn:
        await conn.execute("UPDATE trips SET status = %s WHERE id = %s", (status, trip_id))
