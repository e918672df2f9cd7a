-- Which action leads from where to where. What is not here cannot happen.
CREATE TABLE order_transitions (
    from_status TEXT NOT NULL,
    action      TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    PRIMARY KEY (from_status, action)
);

INSERT INTO order_transitions (from_status, action, to_status) VALUES
    ('paid', 'ship', 'shipped'),
    ('paid', 'refund', 'refunded'),
    ('paid', 'cancel', 'cancelled');

-- How each order came to be what it is.
CREATE TABLE order_history (
    id          SERIAL PRIMARY KEY,
    order_id    INTEGER NOT NULL REFERENCES orders (id),
    from_status TEXT NOT NULL,
    action      TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    at          TIMESTAMPTZ NOT NULL DEFAULT now()
);
