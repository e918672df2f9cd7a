CREATE TABLE gift_cards (
    id            INTEGER PRIMARY KEY,
    code          TEXT NOT NULL,
    -- What was paid for it.
    initial_cents INTEGER NOT NULL,
    -- What is left on it.
    balance_cents INTEGER NOT NULL CHECK (balance_cents >= 0)
);

CREATE TABLE customers (
    id     INTEGER PRIMARY KEY,
    points INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE redemptions (
    id                  SERIAL PRIMARY KEY,
    card_id             INTEGER NOT NULL REFERENCES gift_cards (id),
    customer_id         INTEGER NOT NULL REFERENCES customers (id),
    amount_cents        INTEGER NOT NULL CHECK (amount_cents > 0),
    -- What the customer was told is left.
    balance_after_cents INTEGER NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX redemptions_card_id ON redemptions (card_id);

CREATE TABLE audit_log (
    id          SERIAL PRIMARY KEY,
    customer_id INTEGER NOT NULL,
    action      TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);
