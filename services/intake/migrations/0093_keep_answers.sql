-- What a request with a key was answered with, sealed: the same request again gets the same answer, for as long as the key
-- is kept. Routes that only tell what became of a record keep none; it is told anew.
ALTER TABLE idempotency_key ADD COLUMN answer sealed;
