CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    -- 'customer', 'support', or 'left' for people who no longer work here.
    role          TEXT NOT NULL,
    -- Tokens that were issued for a lower one are void.
    token_version INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE orders (
    id           INTEGER PRIMARY KEY,
    customer_id  INTEGER NOT NULL,
    address      TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
);

-- Who has seen which order: required by the data protection officer.
CREATE TABLE order_views (
    id         SERIAL PRIMARY KEY,
    user_id    INTEGER NOT NULL,
    order_id   INTEGER NOT NULL
);

CREATE INDEX order_views_user_id ON order_views (user_id);
