CREATE TABLE orders (
    id           INTEGER PRIMARY KEY,
    email        TEXT NOT NULL,
    placed_on    DATE NOT NULL,
    status       TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
);
