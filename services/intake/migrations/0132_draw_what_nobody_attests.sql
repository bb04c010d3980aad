-- Besides the random part a second one is drawn of what nobody attests to but those who handled it. Which were such is kept with
-- the list, so that how likely each was to be drawn is known. `secret` goes into the drawing beside the seed: a unit that knows
-- its issues, and a seed that was drawn in public, would know before whom it will be asked about. What an older release
-- drew has none, and no second part.
ALTER TABLE rating_sample
    ADD COLUMN self_attested_share numeric CHECK (self_attested_share BETWEEN 0.01 AND 1),
    ADD COLUMN secret              text    CHECK (length(secret) = 32);
ALTER TABLE rating_sample_member
    ADD COLUMN is_self_attested boolean NOT NULL DEFAULT false,
    ADD COLUMN is_targeted      boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT rating_sample_member_targeted CHECK (is_self_attested OR NOT is_targeted);
