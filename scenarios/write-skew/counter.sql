-- A rota that is empty right now gets its first engineer back: the constraint would refuse it.
UPDATE shifts SET on_call = TRUE WHERE id IN (
    SELECT MIN(s.id) FROM shifts s GROUP BY s.rota_id
) AND NOT EXISTS (
    SELECT 1 FROM shifts other WHERE other.rota_id = shifts.rota_id AND other.on_call
);

ALTER TABLE rotas ADD COLUMN on_call_count INTEGER NOT NULL DEFAULT 1;

UPDATE rotas SET on_call_count = (
    SELECT COUNT(*) FROM shifts s WHERE s.rota_id = rotas.id AND s.on_call
);

ALTER TABLE rotas ADD CONSTRAINT somebody_on_call CHECK (on_call_count >= 1);
