CREATE TABLE ordered_carts (
    cart_id  TEXT PRIMARY KEY,
    order_id INTEGER
);

INSERT INTO ordered_carts (cart_id, order_id)
SELECT cart_id, MIN(id) FROM orders GROUP BY cart_id;
