CREATE TABLE accounts (
    user_id INTEGER PRIMARY KEY,
    points  INTEGER NOT NULL
);

CREATE TABLE sessions (
    -- Never the token itself: who reads this table must not be able to use it.
    token_hash TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL
);

CREATE TABLE gifts (
    id        SERIAL PRIMARY KEY,
    from_user INTEGER NOT NULL,
    to_user   INTEGER NOT NULL,
    points    INTEGER NOT NULL,
    at        TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX gifts_to_user ON gifts (to_user);

-- What the API gateway notes of each call that was served.
CREATE TABLE served_calls (
    id      SERIAL PRIMARY KEY,
    user_id INTEGER NOT NULL,
    ip      TEXT NOT NULL,
    at      TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX served_calls_ip ON served_calls (ip);
