-- Tokens from before have no key and are refused: their users log in again.
ALTER TABLE refresh_tokens ADD COLUMN device_key TEXT;
