CREATE TABLE shops (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    zone TEXT NOT NULL
);

INSERT INTO shops (id, name, zone) VALUES
    (1, 'Reykjavik', 'Atlantic/Reykjavik'),
    (2, 'Berlin', 'Europe/Berlin'),
    (3, 'New York', 'America/New_York'),
    (4, 'Los Angeles', 'America/Los_Angeles'),
    (5, 'Tokyo', 'Asia/Tokyo'),
    (6, 'Kolkata', 'Asia/Kolkata'),
    (7, 'Sydney', 'Australia/Sydney');

CREATE TABLE customers (
    id      INTEGER PRIMARY KEY,
    shop_id INTEGER NOT NULL REFERENCES shops (id)
);

CREATE TABLE bonus_claims (
    id          SERIAL PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    day         TEXT NOT NULL,
    -- Minutes since 1970 in UTC.
    at_minute   INTEGER NOT NULL,
    UNIQUE (customer_id, day)
);

-- What the zones' clocks showed in these days, by which the claims are audited.
CREATE TABLE zone_offsets (
    zone           TEXT NOT NULL,
    from_minute    INTEGER NOT NULL,
    to_minute      INTEGER NOT NULL,
    offset_minutes INTEGER NOT NULL,
    PRIMARY KEY (zone, from_minute)
);

INSERT INTO zone_offsets (zone, from_minute, to_minute, offset_minutes) VALUES
    ('Atlantic/Reykjavik', 29876880, 29891280, 0),
    ('Europe/Berlin', 29876880, 29881500, 120),
    ('Europe/Berlin', 29881500, 29891280, 60),
    ('America/New_York', 29876880, 29891280, -240),
    ('America/Los_Angeles', 29876880, 29891280, -420),
    ('Asia/Tokyo', 29876880, 29891280, 540),
    ('Asia/Kolkata', 29876880, 29891280, 330),
    ('Australia/Sydney', 29876880, 29891280, 660);
