CREATE TABLE products (
    id          INTEGER PRIMARY KEY,
    category_id INTEGER NOT NULL,
    title       TEXT NOT NULL,
    price_cents INTEGER NOT NULL
);

CREATE INDEX products_category_id ON products (category_id);
