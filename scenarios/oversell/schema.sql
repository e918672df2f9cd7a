CREATE TABLE products (
    id          INTEGER PRIMARY KEY,
    title       TEXT NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents > 0),
    -- How many there were when the deal opened.
    units       INTEGER NOT NULL,
    -- How many are left.
    stock       INTEGER NOT NULL CONSTRAINT stock_not_negative CHECK (stock >= 0)
);

CREATE TABLE orders (
    id           SERIAL PRIMARY KEY,
    product_id   INTEGER NOT NULL REFERENCES products (id),
    customer     TEXT NOT NULL,
    quantity     INTEGER NOT NULL CHECK (quantity > 0),
    amount_cents INTEGER NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX orders_product_id ON orders (product_id);
