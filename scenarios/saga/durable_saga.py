"""Trips: the saga's state is in the database, so that any process can finish what another one began."""

import asyncio
import logging
import random
import uuid

import httpx

log = logging.getLogger("trips")

TIMEOUT_S = 2
ATTEMPTS = 3
# After so long without a word nobody is working on a trip any more.
LEASE_S = 10
STEPS = ("flights", "hotels", "cars")


class Refused(Exception):
    """The service said no. Asking again will not help."""


async def book_trip(pool, http, request):
    trip_id = str(uuid.uuid4())
    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO trips (id, customer, status, worked_on_until)"
            " VALUES (%s, %s, 'booking', now() + %s * interval '1 second')",
            (trip_id, request["customer"], LEASE_S),
        )

    try:
        # All of it well within the lease: after that the trip is somebody else's.
        async with asyncio.timeout(LEASE_S / 2):
            for service in STEPS:
                await reserve(http, service, trip_id, request)
    except (Refused, httpx.HTTPError, TimeoutError) as error:
        log.warning("trip %s failed: %s", trip_id, error)
        # From here on it can only go back. The customer need not wait for that.
        await move(pool, trip_id, "booking", "cancelling")
        return {"status": 409, "trip_id": trip_id, "error": "the trip could not be booked"}

    if not await move(pool, trip_id, "booking", "booked"):
        return {"status": 409, "trip_id": trip_id, "error": "the trip took too long and was cancelled"}
    return {"status": 201, "trip_id": trip_id}


async def finish_trips(pool, http):
    """Worker: cancels what failed, and what a process left behind half-done."""
    async with pool.connection() as conn:
        cur = await conn.execute(
            "UPDATE trips SET status = 'cancelling', worked_on_until = now() + %s * interval '1 second'"
            " WHERE id IN (SELECT id FROM trips"
            "  WHERE status IN ('booking', 'cancelling') AND worked_on_until < now()"
            "  ORDER BY created_at LIMIT 20 FOR UPDATE SKIP LOCKED)"
            " RETURNING id",
            (LEASE_S,),
        )
        trips = [trip_id for (trip_id,) in await cur.fetchall()]

    await asyncio.gather(*(cancel_trip(pool, http, trip_id) for trip_id in trips))


async def cancel_trip(pool, http, trip_id):
    try:
        for service in reversed(STEPS):
            await cancel(http, service, trip_id)
    except httpx.HTTPError as error:
        log.warning("trip %s could not be cancelled yet: %s", trip_id, error)
        return  # its lease runs out, then it is tried again
    await move(pool, trip_id, "cancelling", "failed")


async def move(pool, trip_id, before, after):
    """Only from the state it was left in: False when somebody else has moved the trip on."""
    # A trip to be cancelled is free at once; the worker takes it at its next turn.
    async with pool.connection() as conn:
        cur = await conn.execute(
            "UPDATE trips SET status = %s, worked_on_until = now() WHERE id = %s AND status = %s",
            (after, trip_id, before),
        )
        return cur.rowcount == 1


async def reserve(http, service, trip_id, request):
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
