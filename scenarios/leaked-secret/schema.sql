-- What the API gateway notes of each call that was served, and of each that was refused.
CREATE TABLE served_calls (
    id      SERIAL PRIMARY KEY,
    user_id INTEGER NOT NULL,
    ip      TEXT NOT NULL,
    at      TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX served_calls_ip ON served_calls (ip);

-- Written by whoever is on call.
CREATE TABLE incidents (
    id        SERIAL PRIMARY KEY,
    what      TEXT NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
