CREATE TABLE counters (
    id   INTEGER PRIMARY KEY,
    hits INTEGER NOT NULL
);

CREATE TABLE hits (
    id         SERIAL PRIMARY KEY,
    counter_id INTEGER NOT NULL REFERENCES counters (id)
);

CREATE INDEX hits_counter_id ON hits (counter_id);
