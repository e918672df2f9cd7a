CREATE TABLE carts (
    id           INTEGER PRIMARY KEY,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    status       TEXT NOT NULL DEFAULT 'open'
);

CREATE TABLE orders (
    id           SERIAL PRIMARY KEY,
    cart_id      INTEGER NOT NULL REFERENCES carts (id),
    amount_cents INTEGER NOT NULL,
    charge_id    TEXT,
    status       TEXT NOT NULL DEFAULT 'paid',
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX orders_cart_id ON orders (cart_id);
