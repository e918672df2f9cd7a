CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY,
    owner         TEXT NOT NULL,
    balance_cents INTEGER NOT NULL CHECK (balance_cents >= 0)
);

CREATE TABLE transfers (
    id           SERIAL PRIMARY KEY,
    from_account INTEGER NOT NULL REFERENCES accounts (id),
    to_account   INTEGER NOT NULL REFERENCES accounts (id),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    -- 'debited' until the money has arrived, then 'done'.
    status       TEXT NOT NULL DEFAULT 'done',
    created_at   TIMESTAMPTZ NOT NULL DEFAULT now()
);
