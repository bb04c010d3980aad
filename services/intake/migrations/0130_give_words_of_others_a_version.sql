-- What is said of an issue to everybody, and of a rater's words to those who may not read them: whoever says it may say which
-- version they have read. Where the rater says something else meanwhile, that is another version too.
ALTER TABLE filing ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version BETWEEN 1 AND 1000000000);
ALTER TABLE rating_comment ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version BETWEEN 1 AND 1000000000);
