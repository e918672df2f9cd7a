CREATE TABLE inbox (
    message_id    TEXT PRIMARY KEY,
    claimed_until TIMESTAMPTZ NOT NULL,
    done_at       TIMESTAMPTZ
);
