-- On a table in use: CREATE INDEX CONCURRENTLY, outside a transaction. The plain form keeps writers out until it is built.
CREATE INDEX orders_email ON orders (email);
