CREATE TABLE orders (
    id           INTEGER PRIMARY KEY,
    amount_cents INTEGER NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('paid', 'shipped', 'refunded', 'cancelled'))
);

-- A label is printed and the parcel leaves.
CREATE TABLE shipments (
    id       SERIAL PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders (id)
);

-- The bank run at night pays these out.
CREATE TABLE refunds (
    id           SERIAL PRIMARY KEY,
    order_id     INTEGER NOT NULL REFERENCES orders (id),
    amount_cents INTEGER NOT NULL,
    reason       TEXT NOT NULL
);

CREATE INDEX shipments_order_id ON shipments (order_id);
CREATE INDEX refunds_order_id ON refunds (order_id);
