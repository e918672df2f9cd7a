CREATE TABLE products (
    id          INTEGER PRIMARY KEY,
    price_cents INTEGER NOT NULL CHECK (price_cents > 0)
);

CREATE TABLE basket_lines (
    id         INTEGER PRIMARY KEY,
    basket_id  INTEGER NOT NULL,
    product_id INTEGER NOT NULL REFERENCES products (id),
    quantity   INTEGER NOT NULL CHECK (quantity > 0)
);

CREATE INDEX basket_lines_basket_id ON basket_lines (basket_id);

CREATE TABLE orders (
    id          SERIAL PRIMARY KEY,
    -- What the card was charged.
    total_cents INTEGER NOT NULL
);

-- The invoice's lines, with discount and tax.
CREATE TABLE order_lines (
    id           SERIAL PRIMARY KEY,
    order_id     INTEGER NOT NULL REFERENCES orders (id),
    product_id   INTEGER NOT NULL REFERENCES products (id),
    quantity     INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL
);

-- Who gets which part of the total.
CREATE TABLE payouts (
    id           SERIAL PRIMARY KEY,
    order_id     INTEGER NOT NULL REFERENCES orders (id),
    payee        TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
);
