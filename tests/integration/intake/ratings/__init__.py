"""Tests of ratings through their doors."""
