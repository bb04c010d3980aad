-- What a score is worked out from stands in its row: numerator and denominator of each indicator, in the order of the
-- scheme. Values, points and weights follow from these and the scheme, and are worked out when somebody asks; five rows
-- a score less are written, compared and kept. Equal counts under one scheme are an equal score, which made the digest.
ALTER TABLE score ADD COLUMN counts bigint[] NOT NULL DEFAULT '{}';

UPDATE score
   SET counts = ARRAY(
           SELECT count
             FROM scheme
            CROSS JOIN LATERAL jsonb_array_elements_text(definition -> 'order')
                  WITH ORDINALITY AS weighed (indicator, place)
             LEFT JOIN score_indicator AS told
               ON told.score_id = score.score_id
              AND told.indicator = weighed.indicator
            CROSS JOIN LATERAL (VALUES (1, coalesce(numerator::bigint, 0)),
                                       (2, coalesce(denominator::bigint, 0))) AS half (part, count)
            WHERE scheme.name = scheme_name
              AND scheme.version = scheme_version
            ORDER BY place, part);

ALTER TABLE score
    ALTER COLUMN counts DROP DEFAULT,
    ADD CONSTRAINT score_counts_check CHECK (cardinality(counts) % 2 = 0 AND 0 <= ALL (counts)),
    DROP COLUMN digest;
DROP TABLE score_indicator;

-- The sum of bigint is numeric, for which every group keeps a state; counts stay in 64 bits, and what does not is an error.
CREATE AGGREGATE whole_sum(bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, INITCOND = '0', PARALLEL = SAFE);
