CREATE TABLE outbox (
    order_id INTEGER PRIMARY KEY REFERENCES orders (id),
    card     TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at   TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX outbox_due_at ON outbox (due_at);
