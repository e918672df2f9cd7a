CREATE TABLE token_families (
    id         TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL,
    revoked_at TIMESTAMPTZ
);

ALTER TABLE refresh_tokens ADD COLUMN family TEXT;
ALTER TABLE refresh_tokens ADD COLUMN used_at TIMESTAMPTZ;

-- Sessions from before cannot be told from stolen ones: their users log in again.
DELETE FROM refresh_tokens;
