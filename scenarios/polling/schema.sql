CREATE TABLE matches (
    id   INTEGER PRIMARY KEY,
    home TEXT NOT NULL,
    away TEXT NOT NULL
);

CREATE TABLE match_events (
    id       SERIAL PRIMARY KEY,
    match_id INTEGER NOT NULL REFERENCES matches (id),
    kind     TEXT NOT NULL,
    side     TEXT NOT NULL,
    text     TEXT NOT NULL,
    at       TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX match_events_match ON match_events (match_id, id DESC);
