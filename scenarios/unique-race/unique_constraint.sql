-- The oldest account of an address stays. In a real shop somebody merges what the others own first.
DELETE FROM welcome_credits WHERE user_id IN (
    SELECT u.id FROM users u WHERE EXISTS (SELECT 1 FROM users older WHERE older.email = u.email AND older.id < u.id)
);

DELETE FROM users WHERE EXISTS (
    SELECT 1 FROM users older WHERE older.email = users.email AND older.id < users.id
);

CREATE UNIQUE INDEX users_email_key ON users (email);
