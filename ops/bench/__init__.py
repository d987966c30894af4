"""Benchmarks: `bin/bench NAME` runs ops/bench/NAME.py. Each measures a floor in the same run and gives ratios to it."""
