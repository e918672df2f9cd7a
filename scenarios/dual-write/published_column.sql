-- What was placed before counts as announced.
ALTER TABLE orders ADD COLUMN announced_at TIMESTAMPTZ;
UPDATE orders SET announced_at = created_at;
CREATE INDEX orders_announced_at ON orders (announced_at);
