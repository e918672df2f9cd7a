CREATE TABLE orders (
    id           INTEGER PRIMARY KEY,
    customer_id  INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL
);

CREATE INDEX orders_customer_id ON orders (customer_id);

-- What the API gateway notes of each call that was served.
CREATE TABLE served_calls (
    id          SERIAL PRIMARY KEY,
    customer_id INTEGER NOT NULL,
    ip          TEXT NOT NULL,
    at          TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX served_calls_ip ON served_calls (ip);
