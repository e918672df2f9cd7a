-- A cart that was charged twice keeps its first order; the refunds are for people to make.
DELETE FROM orders WHERE EXISTS (
    SELECT 1 FROM orders earlier WHERE earlier.cart_id = orders.cart_id AND earlier.id < orders.id
);

CREATE UNIQUE INDEX orders_one_per_cart ON orders (cart_id);
