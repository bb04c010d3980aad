"""The life of an issue, as pure rules: docs/issue-life.md shows the whole of it."""
