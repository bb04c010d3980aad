"""What another system may be told of an event, as a condition on the log: one text for webhooks and the feed."""

from typing import Final

# Of a type that passes, of an organisation that every filter covers, and nothing of a complaint. `types` and `within`
# are bound by whoever asks; without organisations everything is covered.
PASSES: Final = b"""
                   AND event.type = ANY (%(types)s)
                   AND (event.aggregate <> 'issue'
                        OR EXISTS (SELECT 1 FROM shareable_issue WHERE shareable_issue.id = event.aggregate_id))
                   AND (cardinality(%(within)s::uuid[]) = 0
                        OR event.concerns_all
                        OR EXISTS (SELECT 1
                                     FROM organisation
                                    WHERE organisation.id = ANY (event.organisation_ids)
                                      AND organisation.path @> %(within)s::uuid[]))
"""
