"""Trips: book flight, hotel and car with the three services that took their place in our monolith."""

import logging
import uuid

import httpx

log = logging.getLogger("trips")

TIMEOUT_S = 2


async def book_trip(pool, http, request):
    trip_id = str(uuid.uuid4())
    async with pool.connection() as conn:
        await conn.execute(
            "INSERT INTO trips (id, customer, status) VALUES (%s, %s, 'booking')",
            (trip_id, request["customer"]),
        )

    try:
        flight = await reserve(http, "flights", trip_id, request)
        hotel = await reserve(http, "hotels", trip_id, request)
        car = await reserve(http, "cars", trip_id, request)
    except httpx.HTTPError as error:
        log.warning("trip %s could not be booked: %s", trip_id, error)
        await set_status(pool, trip_id, "failed")
        return {"status": 409, "trip_id": trip_id, "error": "the trip could not be booked"}

    await set_status(pool, trip_id, "booked")
    return {"status": 201, "trip_id": trip_id, "flight": flight["id"], "hotel": hotel["id"], "car": car["id"]}


async def reserve(http, service, trip_id, request):
    response = await http.post(
        f"http://{service}/bookings",
        json={"reference": trip_id, "customer": request["customer"], "city": request["city"]},
        timeout=TIMEOUT_S,
    )
    response.raise_for_status()
    return response.json()


async def set_status(pool, trip_id, status):
    async with pool.connection() as conn:
        await conn.execute("UPDATE trips SET status = %s WHERE id = %s", (status, trip_id))
