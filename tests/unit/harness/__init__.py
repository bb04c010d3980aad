"""Tests of the harness itself: a judge that cannot find anything wrong is no judge."""
