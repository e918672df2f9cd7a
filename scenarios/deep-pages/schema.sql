CREATE TABLE orders (
    id           SERIAL PRIMARY KEY,
    amount_cents INTEGER NOT NULL,
    status       TEXT NOT NULL DEFAULT 'open'
);

-- One nightly file for the warehouse.
CREATE TABLE exports (
    id              SERIAL PRIMARY KEY,
    -- The newest order when it began: what came later is for the next one.
    newest_order_id INTEGER NOT NULL,
    finished        BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE export_lines (
    id        SERIAL PRIMARY KEY,
    export_id INTEGER NOT NULL REFERENCES exports (id),
    order_id  INTEGER NOT NULL
);

CREATE INDEX export_lines_order_id ON export_lines (order_id);
