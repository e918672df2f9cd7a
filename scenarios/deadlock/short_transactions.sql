CREATE INDEX transfers_on_their_way ON transfers (status);
