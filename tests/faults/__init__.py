"""Procedures of faults, and tests that run a slice of them; in full: benchmarks/faults.py."""
