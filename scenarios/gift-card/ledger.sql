-- Every movement of money is a row that is never changed. The balance column becomes a cached sum of them.
CREATE TABLE card_entries (
    id           SERIAL PRIMARY KEY,
    card_id      INTEGER NOT NULL REFERENCES gift_cards (id),
    kind         TEXT NOT NULL CHECK (kind IN ('opening', 'redemption', 'refund')),
    -- Positive: onto the card. Negative: off the card.
    amount_cents INTEGER NOT NULL CHECK (amount_cents <> 0)
);

CREATE INDEX card_entries_card_id ON card_entries (card_id);

-- The redemptions are what really happened. Where the column disagrees, the column is wrong.
UPDATE gift_cards SET balance_cents = GREATEST(0, initial_cents - (
    SELECT COALESCE(SUM(r.amount_cents), 0) FROM redemptions r WHERE r.card_id = gift_cards.id
));

INSERT INTO card_entries (card_id, kind, amount_cents)
SELECT id, 'opening', balance_cents FROM gift_cards WHERE balance_cents > 0;
