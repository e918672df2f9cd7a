-- Equality first, then the order. With INCLUDE (status, amount_cents) the query need not visit the table at all.
CREATE INDEX orders_email_latest ON orders (email, placed_on DESC, id DESC);
