CREATE TABLE idempotency_keys (
    key         TEXT PRIMARY KEY,
    -- What was asked for: the same key with another body is a client's mistake.
    fingerprint TEXT NOT NULL,
    -- NULL while the first request is on its way.
    status      INTEGER,
    response    TEXT,
    started_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);
