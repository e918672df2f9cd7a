"""Checkout: create the order, charge the card, reduce the stock, save the payment."""

import uuid

from payments import PaymentDeclined
from psycopg.rows import dict_row


class OutOfStock(Exception):
    """There are fewer units than the customer wants."""


class ProductRepository:
    def __init__(self, pool):
        self.pool = pool

    async def get(self, product_id):
        async with self.pool.connection() as conn:
            cur = conn.cursor(row_factory=dict_row)
            await cur.execute("SELECT id, price_cents, stock FROM products WHERE id = %s", (product_id,))
            return await cur.fetchone()

    async def reduce_stock(self, product_id, quantity):
        async with self.pool.connection() as conn:
            cur = await conn.execute(
                "UPDATE products SET stock = stock - %s WHERE id = %s AND stock >= %s",
                (quantity, product_id, quantity),
            )
            if cur.rowcount == 0:
                raise OutOfStock(f"product {product_id} is sold out")


class OrderRepository:
    def __init__(self, pool):
        self.pool = pool

    async def create(self, product_id, quantity, amount_cents):
        reference = str(uuid.uuid4())
        async with self.pool.connection() as conn:
            cur = await conn.execute(
                "INSERT INTO orders (reference, product_id, quantity, amount_cents, status)"
                " VALUES (%s, %s, %s, %s, 'pending') RETURNING id",
                (reference, product_id, quantity, amount_cents),
            )
            (order_id,) = await cur.fetchone()
            return order_id, reference

    async def set_status(self, order_id, status):
        async with self.pool.connection() as conn:
            await conn.execute("UPDATE orders SET status = %s WHERE id = %s", (status, order_id))


class PaymentRepository:
    def __init__(self, pool):
        self.pool = pool

    async def save(self, order_id, charge):
        async with self.pool.connection() as conn:
            await conn.execute(
                "INSERT INTO payments (order_id, charge_id, amount_cents) VALUES (%s, %s, %s)",
                (order_id, charge["id"], charge["amount_cents"]),
            )


async def place_order(pool, payments, request):
    products = ProductRepository(pool)
    orders = OrderRepository(pool)
    payment_records = PaymentRepository(pool)
    product_id, quantity = request["product_id"], request["quantity"]

    product = await products.get(product_id)
    if product is None:
        return {"status": 404, "error": "no such product"}
    if product["stock"] < quantity:
        return {"status": 409, "error": "sold out"}

    # 1. Create the order.
    amount_cents = product["price_cents"] * quantity
    order_id, reference = await orders.create(product_id, quantity, amount_cents)

    # 2. Charge the card.
    try:
        charge = await payments.charge(amount_cents=amount_cents, card=request["card"], reference=reference)
    except PaymentDeclined:
        await orders.set_status(order_id, "cancelled")
        return {"status": 402, "error": "card declined"}

    # 3. Reduce the stock.
    await products.reduce_stock(product_id, quantity)

    # 4. Save the payment and finish the order.
    await payment_records.save(order_id, charge)
    await orders.set_status(order_id, "paid")

    return {"status": 201, "order_id": order_id, "amount_cents": amount_cents}
