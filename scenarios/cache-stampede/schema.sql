-- Rankings are computed by a service of their own and live in the cache.
CREATE TABLE categories (
    id    INTEGER PRIMARY KEY,
    title TEXT NOT NULL
);
