CREATE TABLE quotes (
    id         SERIAL PRIMARY KEY,
    cart       TEXT NOT NULL,
    quote      TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
