CREATE TABLE users (
    id         SERIAL PRIMARY KEY,
    email      TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX users_email ON users (email);

CREATE TABLE welcome_credits (
    user_id      INTEGER NOT NULL REFERENCES users (id),
    amount_cents INTEGER NOT NULL
);
