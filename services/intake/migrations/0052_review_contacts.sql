-- What looks odd about a contact is noted for a person, who says whether it counts: a signal alone changes nothing.
-- Contacts that were entered here are looked at once, in the background; those of older releases and of other systems are
-- not.
ALTER TABLE contact ADD COLUMN is_examined boolean NOT NULL DEFAULT true;
ALTER TABLE contact ALTER COLUMN is_examined SET DEFAULT false;
CREATE INDEX contact_unexamined ON contact (id) WHERE NOT is_examined AND source = 'lianxin';

-- A note as eight keyed numbers: notes that are nearly alike share most of them, and nobody reads a note from them.
CREATE TABLE contact_sketch (
    contact_id  uuid     PRIMARY KEY REFERENCES contact (id),
    cadre_id    uuid     NOT NULL,
    occurred_at instant  NOT NULL,
    lanes       bigint[] NOT NULL CHECK (cardinality(lanes) = 8)
);
CREATE INDEX contact_sketch_cadre ON contact_sketch (cadre_id, occurred_at);
ALTER TABLE contact_sketch ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON contact_sketch USING ((SELECT acting_reach()) = 'system');

CREATE TABLE contact_review (
    contact_id        uuid    PRIMARY KEY REFERENCES contact (id),
    signals           text[]  NOT NULL CHECK (
        cardinality(signals) > 0 AND signals <@ ARRAY['same_citizen_day', 'staff_phone', 'similar_note']),
    other_contact_ids uuid[]  NOT NULL,
    noted_at          instant NOT NULL,
    decision          text    CHECK (decision IN ('counts', 'does_not_count')),
    decided_at        instant,
    decided_by        uuid,
    CHECK (num_nonnulls(decision, decided_at) IN (0, 2))
);
CREATE INDEX contact_review_open ON contact_review (noted_at, contact_id) WHERE decision IS NULL;
-- Whoever may see a contact may see that it is reviewed; who may list and decide, the policy table says.
ALTER TABLE contact_review ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON contact_review FOR SELECT USING (
    (SELECT reaches_everything()) OR EXISTS (SELECT 1 FROM contact WHERE contact.id = contact_review.contact_id));
CREATE POLICY decided ON contact_review FOR UPDATE USING (
    (SELECT reaches_everything()) OR EXISTS (SELECT 1 FROM contact WHERE contact.id = contact_review.contact_id));
CREATE POLICY noted ON contact_review FOR INSERT WITH CHECK ((SELECT acting_reach()) = 'system');
