CREATE TABLE imports (
    id          SERIAL PRIMARY KEY,
    supplier    TEXT NOT NULL,
    -- As the supplier wrote it.
    amount      TEXT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE invoices (
    import_id    INTEGER PRIMARY KEY REFERENCES imports (id),
    supplier     TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    booked_at    TIMESTAMPTZ NOT NULL DEFAULT now()
);
