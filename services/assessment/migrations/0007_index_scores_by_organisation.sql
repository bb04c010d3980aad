-- For lists narrowed to a small part of the tree, which would otherwise read a whole period to find a handful.
CREATE INDEX score_by_organisation ON score (organisation_id, period_kind, period_start);
