CREATE TABLE orders (
    id            INTEGER PRIMARY KEY,
    customer_name TEXT NOT NULL,
    total_cents   INTEGER NOT NULL,
    status        TEXT NOT NULL
);

-- What the apps report home: one row for each time the order screen was opened.
CREATE TABLE screens (
    id      SERIAL PRIMARY KEY,
    version INTEGER NOT NULL,
    crashed BOOLEAN NOT NULL
);
