"""Reading folders of record files, which docs/scoring-records.md describes."""
