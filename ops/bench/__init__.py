"""Benchmarks: `bin/bench NAME` runs ops/bench/NAME.py. Each reports ratios to a floor measured in the same run."""
