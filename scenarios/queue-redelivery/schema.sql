CREATE TABLE orders (
    id           TEXT PRIMARY KEY,
    customer     TEXT NOT NULL,
    card         TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    status       TEXT NOT NULL DEFAULT 'placed' CHECK (status IN ('placed', 'paid', 'declined')),
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now()
);
