"""Benchmarks: ratios measured in one run, between the product and a plain yardstick."""
