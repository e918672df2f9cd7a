CREATE TABLE refresh_tokens (
    -- Never the token itself: who reads this table must not be able to use it.
    token_hash TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- What the API gateway notes of each call that was served.
CREATE TABLE served_calls (
    id      SERIAL PRIMARY KEY,
    user_id INTEGER NOT NULL,
    ip      TEXT NOT NULL,
    at      TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX served_calls_ip ON served_calls (ip);
