CREATE TABLE outbox (
    id      BIGSERIAL PRIMARY KEY,
    topic   TEXT NOT NULL,
    key     TEXT NOT NULL,
    payload TEXT NOT NULL
);
