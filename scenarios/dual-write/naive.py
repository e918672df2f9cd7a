"""Shop: save the order, then tell the other services about it."""

import uuid


async def place_order(conn, events, request):
    order_id = str(uuid.uuid4())

    async with conn.transaction():
        await conn.execute(
            "INSERT INTO orders (id, customer, sku, quantity, amount_cents) VALUES (%s, %s, %s, %s, %s)",
            (order_id, request["customer"], request["sku"], request["quantity"], request["amount_cents"]),
        )

    # Only after the commit: nobody must hear of an order that was rolled back.
    await events.publish(
        "orders.placed",
        {
            "order_id": order_id,
            "customer": request["customer"],
            "sku": request["sku"],
            "quantity": request["quantity"],
        },
        key=order_id,
    )

    return {"status": 201, "order_id": order_id}
