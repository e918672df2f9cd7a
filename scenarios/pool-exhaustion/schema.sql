CREATE TABLE products (
    id          INTEGER PRIMARY KEY,
    title       TEXT NOT NULL,
    price_cents INTEGER NOT NULL
);

CREATE TABLE orders (
    id           SERIAL PRIMARY KEY,
    reference    TEXT NOT NULL UNIQUE,
    product_id   INTEGER NOT NULL REFERENCES products (id),
    amount_cents INTEGER NOT NULL,
    charge_id    TEXT,
    status       TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now()
);
