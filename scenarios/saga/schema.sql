CREATE TABLE trips (
    id         TEXT PRIMARY KEY,
    customer   TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('booking', 'booked', 'cancelling', 'failed')),
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
