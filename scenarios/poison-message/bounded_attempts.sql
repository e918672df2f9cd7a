CREATE TABLE parked_messages (
    message_id TEXT PRIMARY KEY,
    body       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    parked_at  TIMESTAMPTZ NOT NULL DEFAULT now()
);
