-- Whoever has left, or was given another role, gets a new version: all tokens issued before are void.
UPDATE users SET token_version = 2 WHERE role = 'left';
