CREATE TABLE rotas (
    id   INTEGER PRIMARY KEY,
    team TEXT NOT NULL
);

CREATE TABLE shifts (
    id       INTEGER PRIMARY KEY,
    rota_id  INTEGER NOT NULL REFERENCES rotas (id),
    engineer TEXT NOT NULL,
    on_call  BOOLEAN NOT NULL
);

CREATE INDEX shifts_rota_id ON shifts (rota_id);
