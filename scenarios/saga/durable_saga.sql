ALTER TABLE trips ADD COLUMN worked_on_until TIMESTAMPTZ NOT NULL DEFAULT now();
CREATE INDEX trips_status ON trips (status);
