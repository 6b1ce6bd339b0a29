"""Measurements: `python -m benchmarks --help`. README's numbers and pictures come from them."""
