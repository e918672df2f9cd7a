CREATE TABLE orders (
    id           SERIAL PRIMARY KEY,
    cart_id      TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
);
